"""Objects of buckets: what boto3's `s3` does with them, and what is refused.

Started by `tests/s3.rs`, which starts the daemon and says where it is: OCELLI_ENDPOINT, OCELLI_PUBLIC (over TLS) with
OCELLI_CERTIFICATE, OCELLI_PHOTO (a picture with a person), OCELLI_BUCKET_DIRECTORY (the bucket `files`), OCELLI_PID.
"""

import unittest

from flows import Flows
from objects import Listing, Objects
from refusals import Refusals

__all__ = ["Flows", "Listing", "Objects", "Refusals"]

unittest.main(verbosity=2)
