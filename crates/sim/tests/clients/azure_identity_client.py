"""Microsoft's azure-identity for Python against the simulator: prints one JSON object of what each credential gave.

Reads its settings as JSON from stdin. Nothing here is adapted to the simulator but the authority's address.
"""

import json
import os
import sys
import tempfile

from azure.core.exceptions import ClientAuthenticationError
from azure.identity import (
    AzurePipelinesCredential,
    CertificateCredential,
    ClientAssertionCredential,
    ClientSecretCredential,
    WorkloadIdentityCredential,
)

settings = json.load(sys.stdin)
os.environ["SYSTEM_OIDCREQUESTURI"] = settings["azure_devops_url"]
TENANT, CLIENT = settings["tenant"], settings["client_id"]
COMMON = {} if settings["real_names"] else {"authority": settings["origin"], "disable_instance_discovery": True}


def token(credential):
    try:
        return {"access_token": credential.get_token(settings["api"] + "/.default").token}
    except ClientAuthenticationError as error:
        return {"error": str(error)}


with tempfile.NamedTemporaryFile("w", suffix=".jwt") as token_file:
    token_file.write(settings["kubernetes"])
    token_file.flush()
    pem = (settings["private_key"] + settings["certificate"]).encode()
    print(json.dumps({
        "secret": token(ClientSecretCredential(TENANT, CLIENT, settings["secret"], **COMMON)),
        "wrong_secret": token(ClientSecretCredential(TENANT, CLIENT, "wrong", **COMMON)),
        "certificate": token(CertificateCredential(TENANT, CLIENT, certificate_data=pem, **COMMON)),
        "federated": token(ClientAssertionCredential(TENANT, CLIENT, lambda: settings["federated"], **COMMON)),
        "workload": token(WorkloadIdentityCredential(tenant_id=TENANT, client_id=CLIENT, token_file_path=token_file.name, **COMMON)),
        "pipelines": token(AzurePipelinesCredential(
            tenant_id=TENANT, client_id=CLIENT, service_connection_id="connection",
            system_access_token=settings["azure_devops_token"], **COMMON)),
    }))
