"""A model of all boxes through the API of AWS: models.py stop|start BALANCER ENDPOINT ENDPOINT ENDPOINT.

Each box has room for two units. `stop` stops the model at one of them; `start` starts it through the load balancer.
"""

import os
import sys
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError


def client(endpoint):
    return boto3.client(
        "rekognition",
        endpoint_url=endpoint,
        verify=os.environ["OCELLI_CERTIFICATE"],
        region_name="us-east-1",
        aws_access_key_id="AKIDOPERATOR",
        aws_secret_access_key="operator-secret",
        config=Config(retries={"total_max_attempts": 1, "mode": "standard"}),
    )


site, *boxes = [client(endpoint) for endpoint in sys.argv[2:]]
project = boxes[0].describe_projects()["ProjectDescriptions"][0]["ProjectArn"]


def described(number):
    return boxes[number].describe_project_versions(ProjectArn=project)["ProjectVersionDescriptions"][0]


def wait(what):
    """Until it is so at each box."""
    begun = time.monotonic()
    while not all(what(described(number)) for number in range(len(boxes))):
        assert time.monotonic() - begun < 90, [described(number) for number in range(len(boxes))]
        time.sleep(0.2)


def refused(call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"]
    raise AssertionError("it was not refused")


arn = described(0)["ProjectVersionArn"]
photo = open(os.environ["OCELLI_PHOTO"], "rb").read()
ask = {"ProjectVersionArn": arn, "Image": {"Bytes": photo}}


def stop():
    assert boxes[0].stop_project_version(ProjectVersionArn=arn)["Status"] == "STOPPING"
    assert described(0)["Status"] in ("STOPPING", "STOPPED"), described(0)
    wait(lambda version: version["Status"] == "STOPPED")
    assert refused(boxes[1].stop_project_version, ProjectVersionArn=arn) == "InvalidParameterException"
    assert refused(boxes[2].detect_custom_labels, **ask) == "ResourceNotReadyException"


def start():
    call = site.start_project_version
    assert refused(call, ProjectVersionArn=arn, MinInferenceUnits=7) == "LimitExceededException"
    assert described(1)["Status"] == "STOPPED"
    begun = call(ProjectVersionArn=arn, MinInferenceUnits=4, MaxInferenceUnits=6)
    assert begun["Status"] in ("STARTING", "RUNNING"), begun
    again = boxes[2].start_project_version
    assert refused(again, ProjectVersionArn=arn, MinInferenceUnits=1) == "ResourceInUseException"
    message = "The model is running: 4 inference units on 3 boxes."
    wait(lambda version: version["Status"] == "RUNNING" and version["StatusMessage"] == message)
    for number in range(3):
        version = described(number)
        assert (version["MinInferenceUnits"], version["MaxInferenceUnits"]) == (4, 6), version
        assert boxes[number].detect_custom_labels(**ask)["CustomLabels"]


{"stop": stop, "start": start}[sys.argv[1]]()
