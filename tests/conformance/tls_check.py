"""boto3 over TLS to the public address, trusting the certificate that the box has made for itself.

OCELLI_PUBLIC (https://127.0.0.1:PORT), OCELLI_CERTIFICATE. Ends with 1 if anything is not as it should be.
"""

import os
import ssl
import urllib.error
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, SSLError

PUBLIC, CERTIFICATE = os.environ["OCELLI_PUBLIC"], os.environ["OCELLI_CERTIFICATE"]


def client(verify, secret="operator-secret"):
    return boto3.client(
        "rekognition",
        endpoint_url=PUBLIC,
        region_name="us-east-1",
        aws_access_key_id="AKIDOPERATOR",
        aws_secret_access_key=secret,
        verify=verify,
        config=Config(retries={"total_max_attempts": 2, "mode": "standard"}),
    )


def code(call):
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"]
    except SSLError:
        return "SSLError"
    return "ok"


def status(path):
    context = ssl.create_default_context(cafile=CERTIFICATE)
    try:
        return urllib.request.urlopen(PUBLIC + path, context=context).status
    except urllib.error.HTTPError as error:
        return error.code


assert code(client(CERTIFICATE).describe_projects) == "ok"
assert code(client(CERTIFICATE, "guessed").describe_projects) == "InvalidSignatureException"
assert code(client(True).describe_projects) == "SSLError", "nobody trusts it who was not told to"
assert [status(path) for path in ("/healthz", "/api/models", "/metrics", "/readyz")] == [200, 404, 404, 404]
