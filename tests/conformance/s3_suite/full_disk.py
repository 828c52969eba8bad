"""An object that is too large for the disk, one whose room somebody else takes, and one with room again."""

import hashlib
import sys
import time

from raw import EMPTY, Signed, answer, put

DATA = bytes(8 << 20)
# Refused before its body is asked for.
status, code = Signed("PUT", "/files/photo.jpg", EMPTY).send(length=30 << 20)
print(f"too large: {code} {status}", flush=True)

connection = Signed("PUT", "/files/photo.jpg", hashlib.sha256(DATA).hexdigest()).begin(len(DATA))
connection.send(DATA[: 2 << 20])
print("half", flush=True)
sys.stdin.readline()
try:
    connection.send(DATA[2 << 20 :])
except (BrokenPipeError, ConnectionResetError):
    pass
status, code = answer(connection)
print(f"filled meanwhile: {code} {status}", flush=True)

end = time.monotonic() + 20
while (status := put("/files/other.jpg", DATA)[0]) == 507 and time.monotonic() < end:
    time.sleep(0.05)
print(f"with room again: {status}", flush=True)
