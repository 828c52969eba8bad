"""Callers who come back exactly when they were told to: hint.py CALLERS ROUNDS.

Each round, so many call at once and try three times. Prints a JSON object: how many failed in each round, and the hints.
"""

import base64
import http.client
import json
import os
import pathlib
import sys
import threading
import time
import urllib.parse

CALLERS, ROUNDS = int(sys.argv[1]), int(sys.argv[2])
ATTEMPTS = 3
HOST = urllib.parse.urlsplit(os.environ["OCELLI_ENDPOINT"]).netloc
PHOTO = base64.b64encode(pathlib.Path(os.environ["OCELLI_PHOTO"]).read_bytes()).decode()


def call(connection, operation, **members):
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"RekognitionService.{operation}"}
    connection.request("POST", "/", json.dumps(members), headers)
    response = connection.getresponse()
    return response, json.loads(response.read())


def connect():
    connection = http.client.HTTPConnection(HOST, timeout=60)
    connection.connect()
    return connection


def version():
    box = connect()
    project = call(box, "DescribeProjects")[1]["ProjectDescriptions"][0]["ProjectArn"]
    return call(box, "DescribeProjectVersions", ProjectArn=project)[1]["ProjectVersionDescriptions"][0]["ProjectVersionArn"]


def one_round(arn):
    together, lock = threading.Barrier(CALLERS), threading.Lock()
    ended, hints = [], []

    def caller():
        connection = connect()
        together.wait()
        for attempt in range(ATTEMPTS):
            response, body = call(connection, "DetectCustomLabels", ProjectVersionArn=arn, Image={"Bytes": PHOTO})
            if response.status == 200:
                with lock:
                    ended.append(attempt)
                return
            assert body["__type"] == "ProvisionedThroughputExceededException", body
            hint = int(response.headers["x-amz-retry-after"])
            with lock:
                hints.append(hint)
            if attempt + 1 < ATTEMPTS:
                time.sleep(hint / 1000)
        with lock:
            ended.append(None)

    threads = [threading.Thread(target=caller) for _ in range(CALLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ended) == CALLERS, "a caller has died"
    return ended.count(None), hints


arn = version()
warm = connect()
for _ in range(5):
    call(warm, "DetectCustomLabels", ProjectVersionArn=arn, Image={"Bytes": PHOTO})
failed, shown = [], []
for _ in range(ROUNDS):
    time.sleep(4)  # The places that the round before was given are free again.
    lost, hints = one_round(arn)
    failed.append(lost)
    shown += hints
print(json.dumps({"failed": failed, "refused": len(shown), "hints_ms": [min(shown, default=0), max(shown, default=0)]}))
