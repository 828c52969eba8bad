"""Sends half an object, says so, and waits to be killed."""

import hashlib
import sys

from raw import Signed

DATA = bytes(200_000)
connection = Signed("PUT", "/files/photo.jpg", hashlib.sha256(DATA).hexdigest()).begin(len(DATA))
connection.send(DATA[:100_000])
print("half", flush=True)
sys.stdin.read()
