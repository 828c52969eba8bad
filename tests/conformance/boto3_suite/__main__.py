"""The operations, bounds and errors of the AWS-compatible API, by boto3.

Started by `tests/rekognition.rs` and `make conformance`, which start the daemon and say where it is:
OCELLI_ENDPOINT, OCELLI_PHOTO (a picture with a person), OCELLI_BUCKET_DIRECTORY (the bucket `files`).
"""

import unittest

from detection import Detection
from projects import Projects
from protocol import Protocol
from throttling import Throttling
from versions import Versions

__all__ = ["Detection", "Projects", "Protocol", "Throttling", "Versions"]

unittest.main(verbosity=2)
