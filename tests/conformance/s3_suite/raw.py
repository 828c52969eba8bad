"""Requests to S3 signed by hand, so that every part of one can be wrong."""

import base64
import datetime
import hashlib
import hmac
import http.client
import os
import re
import ssl
import urllib.parse
import zlib

ENDPOINT = os.environ["OCELLI_ENDPOINT"]
KEYS = {
    "AKIDOPERATOR": "operator-secret",
    "AKIDWRITER": "writer-secret",
    "AKIDREADER": "reader-secret",
    "AKIDCAMERA": "camera-secret",
}
EMPTY = hashlib.sha256(b"").hexdigest()
STREAMING = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"


def crc(data, polynomial, width):
    """A reflected CRC, bit by bit, as its catalogue defines it."""
    mask = (1 << width) - 1
    value = mask
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ (polynomial if value & 1 else 0)
    return (value ^ mask).to_bytes(width // 8, "big")


CHECKSUMS = {
    "crc32": lambda data: zlib.crc32(data).to_bytes(4, "big"),
    "crc32c": lambda data: crc(data, 0x82F63B78, 32),
    "crc64nvme": lambda data: crc(data, 0x9A6C9329AC4BC9B5, 64),
    "sha1": lambda data: hashlib.sha1(data).digest(),
    "sha256": lambda data: hashlib.sha256(data).digest(),
}


def checksum(name, data):
    return base64.b64encode(CHECKSUMS[name](data)).decode()


def mac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


class Signed:
    """A signed head, and the signatures of chunks that follow it."""

    def __init__(self, method, path, payload, headers=(), key="AKIDWRITER", secret=None, service="s3", endpoint=ENDPOINT,
                 unsigned=(), age=0):
        self.method, self.path, self.endpoint = method, path, urllib.parse.urlsplit(endpoint)
        now = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=age)
        self.time, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
        self.headers = {"host": self.endpoint.netloc, "x-amz-date": self.time, "x-amz-content-sha256": payload}
        self.headers.update(headers)
        names = sorted(name for name in self.headers if name not in unsigned)
        at, _, query = path.partition("?")
        pairs = sorted(pair if "=" in pair else pair + "=" for pair in query.split("&") if pair)
        lines = "".join(f"{name}:{self.headers[name]}\n" for name in names)
        canonical = f"{method}\n{at}\n{'&'.join(pairs)}\n{lines}\n{';'.join(names)}\n{payload}"
        self.scope = f"{day}/eu-west-1/{service}/aws4_request"
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        self.key = f"AWS4{secret or KEYS.get(key, 'no such secret')}".encode()
        for part in self.scope.split("/"):
            self.key = mac(self.key, part)
        self.previous = mac(self.key, f"AWS4-HMAC-SHA256\n{self.time}\n{self.scope}\n{digest}").hex()
        self.headers["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={key}/{self.scope}, SignedHeaders={';'.join(names)}, Signature={self.previous}"
        )

    def next(self, kind, rest):
        to_sign = f"AWS4-HMAC-SHA256-{kind}\n{self.time}\n{self.scope}\n{self.previous}\n{rest}"
        self.previous = mac(self.key, to_sign).hex()
        return self.previous

    def chunk(self, data):
        signature = self.next("PAYLOAD", f"{EMPTY}\n{hashlib.sha256(data).hexdigest()}")
        return b"%x;chunk-signature=%s\r\n%s%s" % (len(data), signature.encode(), data, b"\r\n" if data else b"")

    def trailer(self, line):
        signature = self.next("TRAILER", hashlib.sha256(f"{line}\n".encode()).hexdigest())
        return f"{line}\r\nx-amz-trailer-signature:{signature}\r\n\r\n".encode()

    def connect(self):
        if self.endpoint.scheme == "https":
            context = ssl.create_default_context(cafile=os.environ["OCELLI_CERTIFICATE"])
            return http.client.HTTPSConnection(self.endpoint.netloc, timeout=30, context=context)
        return http.client.HTTPConnection(self.endpoint.netloc, timeout=30)

    def begin(self, length):
        """Sends the head."""
        connection = self.connect()
        connection.putrequest(self.method, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            connection.putheader(name, value)
        if length is not None:
            connection.putheader("content-length", str(length))
        connection.endheaders()
        return connection

    def send(self, body=b"", length=0):
        """The status and the code of the answer: of an error its `Code`, otherwise `ok`."""
        connection = self.begin(length or len(body))
        try:
            connection.send(body)
        except (BrokenPipeError, ConnectionResetError):
            pass  # The answer was there before the body was read.
        return answer(connection)


def answer(connection):
    response = connection.getresponse()
    text = response.read().decode(errors="replace")
    connection.close()
    if response.status < 300:
        return response.status, "ok"
    assert response.headers["x-amz-request-id"], response.headers
    code = re.search("<Code>(.*)</Code>", text)
    assert code or not text, text
    for place in ("/tmp", "/var", "/root", "/proc"):
        assert place not in text.partition("<Resource>")[0], text
    return response.status, code[1] if code else str(response.status)


def put(path, data=b"hello", payload=None, headers=(), **signed):
    """Puts a whole body."""
    payload = payload or hashlib.sha256(data).hexdigest()
    return Signed("PUT", path, payload, headers, **signed).send(data)


def get(path, headers=(), **signed):
    return Signed("GET", path, EMPTY, headers, **signed).send()
