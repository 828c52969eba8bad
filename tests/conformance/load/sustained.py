"""boto3's own retries under more callers than the box can serve: sustained.py MODE CALLERS SECONDS.

Each caller calls again as soon as it is answered. Prints a JSON object: how many calls there were, and how many failed.
"""

import json
import os
import pathlib
import sys
import threading
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

MODE, CALLERS, SECONDS = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
PHOTO = pathlib.Path(os.environ["OCELLI_PHOTO"]).read_bytes()


def client():
    return boto3.client(
        "rekognition",
        endpoint_url=os.environ["OCELLI_ENDPOINT"],
        region_name="us-east-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
        # The number of attempts is that of each mode.
        config=Config(retries={"mode": MODE}),
    )


def version(box):
    project = box.describe_projects()["ProjectDescriptions"][0]["ProjectArn"]
    return box.describe_project_versions(ProjectArn=project)["ProjectVersionDescriptions"][0]["ProjectVersionArn"]


clients = [client() for _ in range(CALLERS)]
arn = version(clients[0])
codes, lock, together = [], threading.Lock(), threading.Barrier(CALLERS)


def caller(box):
    together.wait()
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        try:
            box.detect_custom_labels(ProjectVersionArn=arn, Image={"Bytes": PHOTO})
            code = "ok"
        except ClientError as error:
            code = error.response["Error"]["Code"]
        with lock:
            codes.append(code)


threads = [threading.Thread(target=caller, args=(one,)) for one in clients]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
failed = sum(code != "ok" for code in codes)
assert set(codes) <= {"ok", "ProvisionedThroughputExceededException"}, set(codes)
print(json.dumps({"calls": len(codes), "failed": failed}))
