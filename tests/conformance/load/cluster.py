"""Callers of a cluster through its load balancer: cluster.py THREADS SECONDS CALLS_A_SECOND ATTEMPTS.

So many threads call for so many seconds, together so many times a second (0: each as soon as it is answered), with as many attempts
of the SDK's standard retries. Prints a JSON object: how many calls there were, how they ended by the name of the error, and the
answers a second after the first two seconds, which a box gives beyond its limit.
"""

import collections
import json
import os
import pathlib
import sys
import threading
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

THREADS, SECONDS, PACE, ATTEMPTS = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
PHOTO = pathlib.Path(os.environ["OCELLI_PHOTO"]).read_bytes()
FULL = "ProvisionedThroughputExceededException"
BURST = 2.0


def client():
    return boto3.client(
        "rekognition",
        endpoint_url=os.environ["OCELLI_ENDPOINT"],
        verify=os.environ["OCELLI_CERTIFICATE"],
        region_name="us-east-1",
        aws_access_key_id="AKIDOPERATOR",
        aws_secret_access_key="operator-secret",
        config=Config(retries={"total_max_attempts": ATTEMPTS, "mode": "standard"}),
    )


box = client()
project = box.describe_projects()["ProjectDescriptions"][0]["ProjectArn"]
arn = box.describe_project_versions(ProjectArn=project)["ProjectVersionDescriptions"][0]["ProjectVersionArn"]
ended, lock, late = collections.Counter(), threading.Lock(), 0
together = threading.Barrier(THREADS)


def caller(number):
    global late
    box = client()
    together.wait()
    begun, turn = time.monotonic(), 0
    while time.monotonic() - begun < SECONDS:
        if PACE:
            due = begun + (number + turn * THREADS) / PACE
            turn += 1
            if due - begun >= SECONDS:
                return
            time.sleep(max(0.0, due - time.monotonic()))
        try:
            labels = box.detect_custom_labels(ProjectVersionArn=arn, Image={"Bytes": PHOTO})["CustomLabels"]
            result = "ok" if any(label["Name"] == "person" for label in labels) else "nothing seen"
        except ClientError as error:
            result = error.response["Error"]["Code"]
        except Exception as error:  # What the SDK does not give a name: a connection, a timeout.
            result = repr(error)
        with lock:
            ended[result] += 1
            late += result == "ok" and BURST < time.monotonic() - begun < SECONDS
        if result == FULL and not PACE:
            time.sleep(0.05)


threads = [threading.Thread(target=caller, args=(number,)) for number in range(THREADS)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(json.dumps({"calls": sum(ended.values()), "ended": ended, "answers_a_second": late / (SECONDS - BURST)}))
