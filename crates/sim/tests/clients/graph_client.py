"""Microsoft's Graph SDK for Python against the simulator: prints one JSON object of what it read and wrote.

Reads its settings as JSON from stdin. Nothing here is adapted to the simulator but the addresses, and with real names
not even those.
"""

import asyncio
import json
import sys

from azure.identity import ClientSecretCredential
from azure.mgmt.keyvault import KeyVaultManagementClient
from azure.mgmt.storage import StorageManagementClient
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.identity.conditional_access.policies.policies_request_builder import PoliciesRequestBuilder
from msgraph.generated.models.allow_invites_from import AllowInvitesFrom
from msgraph.generated.models.authorization_policy import AuthorizationPolicy
from msgraph.generated.models.default_user_role_permissions import DefaultUserRolePermissions
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.users.users_request_builder import UsersRequestBuilder
from msgraph_core import PageIterator
from msgraph_core.requests.batch_request_content import BatchRequestContent
from msgraph_core.requests.batch_request_item import BatchRequestItem

settings = json.load(sys.stdin)
OWN = not settings["real_names"]
COMMON = {"authority": settings["origin"], "disable_instance_discovery": True} if OWN else {}
SCOPE = "https://graph.microsoft.com/.default"


def credential(app="client_id", secret="secret"):
    return ClientSecretCredential(settings["tenant"], settings[app], settings[secret], **COMMON)


def graph(*app):
    if not OWN:
        return GraphServiceClient(credential(*app), [SCOPE])
    provider = AzureIdentityAuthenticationProvider(credential(*app), scopes=[SCOPE], allowed_hosts=["localhost"])
    adapter = GraphRequestAdapter(provider)
    adapter.base_url = settings["graph"] + "/v1.0"
    return GraphServiceClient(request_adapter=adapter)


async def every_user(client):
    query = UsersRequestBuilder.UsersRequestBuilderGetQueryParameters(select=["id", "userType"], top=5)
    first = await client.users.get(request_configuration=RequestConfiguration(query_parameters=query))
    users = []
    iterator = PageIterator(first, client.request_adapter)
    await iterator.iterate(lambda user: users.append(user.user_type) or True)
    return {"first": len(first.value), "all": len(users), "guests": users.count("Guest")}


async def policies(client):
    query = PoliciesRequestBuilder.PoliciesRequestBuilderGetQueryParameters(select=["id", "displayName", "state"])
    answer = await client.identity.conditional_access.policies.get(request_configuration=RequestConfiguration(query_parameters=query))
    return [[policy.display_name, policy.state.value] for policy in answer.value]


def relative(request):
    """The SDK writes absolute addresses into batches, which Graph refuses (msgraph-sdk-python-core issue 1116)."""
    item = BatchRequestItem(request)
    item.url = item.url.split("/v1.0", 1)[1]
    return item


async def batch(client):
    items = [relative(part.to_get_request_information()) for part in (client.organization, client.domains)]
    posted = await client.batch.post(BatchRequestContent({item.id: item for item in items}))
    return [posted.get_response_by_id(item.id).status for item in items]


async def missing(client):
    try:
        await client.users.by_user_id("00000000-0000-4000-8000-00000000dead").get()
    except ODataError as error:
        return [error.response_status_code, error.error.code]


async def write(client):
    """Patches the authorization policy: the writer may, the reader may not."""
    change = AuthorizationPolicy(
        allow_invites_from=AllowInvitesFrom.None_,
        default_user_role_permissions=DefaultUserRolePermissions(allowed_to_create_apps=False),
    )
    writer = graph("writer_id", "writer_secret")
    await writer.policies.authorization_policy.patch(change)
    after = await writer.policies.authorization_policy.get()
    try:
        await client.policies.authorization_policy.patch(change)
    except ODataError as error:
        refused = [error.response_status_code, error.error.code]
    return [after.allow_invites_from.value, after.default_user_role_permissions.allowed_to_create_apps, refused]


async def read_graph():
    client = graph()
    return {
        "organization": (await client.organization.get()).value[0].display_name,
        "users": await every_user(client),
        "policies": await policies(client),
        "security_defaults": (await client.policies.identity_security_defaults_enforcement_policy.get()).is_enabled,
        "batch": await batch(client),
        "missing": await missing(client),
        "written": await write(client),
    }


def read_azure():
    options = {"base_url": settings["arm"], "credential_scopes": ["https://management.azure.com/.default"]} if OWN else {}
    vaults = KeyVaultManagementClient(credential(), settings["subscription"], **options).vaults.list_by_subscription()
    accounts = StorageManagementClient(credential(), settings["subscription"], **options).storage_accounts.list()
    return {
        "vaults": [[vault.name, vault.properties.enable_purge_protection] for vault in vaults],
        "accounts": [[account.name, str(account.minimum_tls_version)] for account in accounts],
    }


print(json.dumps({"graph": asyncio.run(read_graph()), "azure": read_azure()}))
