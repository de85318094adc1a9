"""Verifies a webhook with the `standardwebhooks` package: settings as JSON on stdin, the verdict as JSON on stdout."""

import json
import sys

from standardwebhooks import Webhook, WebhookVerificationError

settings = json.load(sys.stdin)
try:
    payload = Webhook(settings["secret"]).verify(settings["body"], settings["headers"])
    print(json.dumps({"verified": True, "payload": payload}))
except WebhookVerificationError as error:
    print(json.dumps({"verified": False, "why": str(error)}))
