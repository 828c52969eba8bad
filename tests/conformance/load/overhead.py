"""What a signed call costs the daemon beside decoding and inference, which units do: overhead.py CALLS.

Prints a JSON object: milliseconds of processor time of the daemon's own process for a call with 50 kB and one with 3.8 MB.
"""

import io
import json
import os
import sys
import time

import boto3
from botocore.config import Config
from PIL import Image

CALLS = int(sys.argv[1])
box = boto3.client(
    "rekognition",
    endpoint_url=os.environ["OCELLI_ENDPOINT"],
    region_name="us-east-1",
    aws_access_key_id="AKIDOPERATOR",
    aws_secret_access_key="operator-secret",
    config=Config(retries={"total_max_attempts": 5, "mode": "standard"}),
)


# The clock of a process's processor time, as clock_getcpuclockid(3) makes it: ticks would be 10 ms.
CLOCK = (~int(os.environ["OCELLI_PID"]) << 3) | 2


def spent(work):
    """Seconds of the processor, and of the wall."""
    before, begun = time.clock_gettime(CLOCK), time.monotonic()
    work()
    return time.clock_gettime(CLOCK) - before, time.monotonic() - begun


def picture(size):
    """A small picture with bytes behind its end, which decoders ignore: what varies is what the daemon passes on."""
    data = io.BytesIO()
    Image.open(os.environ["OCELLI_PHOTO"]).resize((320, 240)).save(data, "JPEG", quality=80)
    assert data.tell() <= size
    return data.getvalue().ljust(size, b"\0")


project = box.describe_projects()["ProjectDescriptions"][0]["ProjectArn"]
arn = box.describe_project_versions(ProjectArn=project)["ProjectVersionDescriptions"][0]["ProjectVersionArn"]
idle, idle_seconds = spent(lambda: time.sleep(5))
costs = {}
for name, size in (("small", 50_000), ("large", 3_800_000)):
    image = {"Bytes": picture(size)}

    def calls():
        for _ in range(CALLS):
            box.detect_custom_labels(ProjectVersionArn=arn, Image=image)

    calls()  # Threads, slots and pages are there then.
    costs[name], seconds = spent(calls)
    costs[name] = (costs[name] - idle * seconds / idle_seconds) / CALLS * 1e3
print(json.dumps(costs))
