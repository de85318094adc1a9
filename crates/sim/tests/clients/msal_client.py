"""Microsoft's msal for Python against the simulator: prints one JSON object of what each way of signing in gave.

Reads its settings as JSON from stdin. Nothing here is adapted to the simulator but the authority's address.
"""

import json
import sys
from urllib.parse import parse_qsl, urlsplit

import msal
import requests

settings = json.load(sys.stdin)
SCOPE = [settings["api"] + "/.default"]


def app(credential, kind=msal.ConfidentialClientApplication, **more):
    options = {"authority": settings["authority"], "client_credential": credential}
    if not settings["real_names"]:
        options["instance_discovery"] = False
    return kind(settings["client_id"], **{**options, **more})


def app_only(credential):
    return app(credential).acquire_token_for_client(SCOPE)


def press(flow):
    """What a person does: open the page, press the button of an account, and be led back."""
    page = requests.get(flow["auth_uri"], allow_redirects=False, timeout=20)
    assert page.status_code == 200 and "Sign in to your account" in page.text, page.text
    back = requests.post(flow["auth_uri"], data={"account": settings["user"]}, allow_redirects=False, timeout=20)
    address = urlsplit(back.headers["location"])
    return dict(parse_qsl(address.query or address.fragment))


def signed_in(client, redirect):
    scopes = [settings["api"] + "/access_as_user"]
    flow = client.initiate_auth_code_flow(scopes, redirect_uri=redirect)
    first = client.acquire_token_by_auth_code_flow(flow, press(flow))
    if "error" in first:
        return {"first": first}
    account = client.get_accounts()[0]
    silent = client.acquire_token_silent_with_error(scopes, account, force_refresh=True)
    return {"first": first, "silent": silent, "account": account}


public = msal.PublicClientApplication(
    settings["client_id"],
    authority=settings["authority"],
    **({} if settings["real_names"] else {"instance_discovery": False}),
)
certificate = {"private_key": settings["private_key"], "public_certificate": settings["certificate"]}
print(json.dumps({
    "secret": app_only(settings["secret"]),
    "wrong_secret": app_only("wrong"),
    "certificate_sha256": app_only(certificate),
    "certificate_sha1": app_only({**certificate, "thumbprint": settings["thumbprint"]}),
    "federated": app_only({"client_assertion": settings["federated"]}),
    "code_native": signed_in(public, "http://localhost:49152"),
    "code_web": signed_in(app(settings["secret"]), settings["web_redirect"]),
}))
