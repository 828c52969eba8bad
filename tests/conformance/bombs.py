"""Pictures that are made to hurt whoever decodes them: each has to be refused with the right error, or seen, cheaply.

Started like boto3_suite. Prints PASS or FAIL a line each, and at last what the worst cost: the processor time and
the memory of the daemon's process group beside what it had before. Ends with 1 if anything failed.
"""

import base64
import io
import json
import os
import pathlib
import struct
import sys
import time
import urllib.error
import urllib.request
import zlib

from PIL import Image

ENDPOINT = os.environ["OCELLI_ENDPOINT"]
DAEMON = int(os.environ["OCELLI_PID"])
PHOTO = pathlib.Path(os.environ["OCELLI_PHOTO"]).read_bytes()
FORMAT, LARGE, PARAMETER = "InvalidImageFormatException", "ImageTooLargeException", "InvalidParameterException"


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, depth=8, color=2, interlace=0, extra=b"", data=None):
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlace)
    data = zlib.compress(b"\0" * 1000, 9) if data is None else data
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def deflated(size):
    """So many zero bytes, a thousandth of that on the wire."""
    packer = zlib.compressobj(9)
    parts = [packer.compress(b"\0" * (1 << 20)) for _ in range(size >> 20)]
    return b"".join(parts) + packer.flush()


def deflated_rows(side, pixel_bytes):
    packer = zlib.compressobj(9)
    row = b"\0" * (1 + side * pixel_bytes)
    return b"".join(packer.compress(row) for _ in range(side)) + packer.flush()


def interlaced(side):
    """All passes of Adam7 in RGB."""
    packer, parts = zlib.compressobj(9), []
    passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    for left, top, step_x, step_y in passes:
        columns, rows = len(range(left, side, step_x)), len(range(top, side, step_y))
        parts += [packer.compress(b"\0" * (1 + 3 * columns)) for _ in range(rows)]
    return png(side, side, interlace=1, data=b"".join(parts) + packer.flush())


def flat_jpeg(side):
    data = io.BytesIO()
    Image.new("RGB", (side, side), (200, 30, 60)).save(data, "JPEG", subsampling=0)
    return data.getvalue()


def segment(marker, data):
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(data) + 2) + data


def photo():
    """A small JPEG, by its segments: everything before the scan, and the scan with the end."""
    data = io.BytesIO()
    Image.new("RGB", (128, 128), (200, 30, 60)).save(data, "JPEG")
    data = data.getvalue()
    start = data.index(b"\xff\xda")
    return data[:start], data[start:]


def progressive(size, subsampling=2):
    data = io.BytesIO()
    Image.new("RGB", (size, size), (200, 30, 60)).save(data, "JPEG", progressive=True, subsampling=subsampling)
    return data.getvalue()


def sized(width, height, marker=None):
    """The small JPEG, whose frame header says something else."""
    head, scan = photo()
    at = head.index(b"\xff\xc0")
    frame = bytearray(head[at : at + 19])
    frame[5:9] = struct.pack(">HH", height, width)
    if marker is not None:
        frame[1] = marker
    return head[:at] + bytes(frame) + head[at + 19 :] + scan


def repeated_scans(data, count):
    """Every scan of a progressive JPEG, again and again."""
    start = data.index(b"\xff\xda")
    body = data[start:-2]
    return data[:start] + body * count + b"\xff\xd9"


def exif_loop():
    """A directory whose next directory is itself, with a thumbnail that is far away."""
    tiff = b"MM\0*\0\0\0\x08" + struct.pack(">H", 1) + struct.pack(">HHII", 0x0112, 3, 0xFFFFFFFF, 8)
    return segment(0xE1, b"Exif\0\0" + tiff + struct.pack(">I", 8))


def bombs():
    head, scan = photo()
    soi, rest = head[:2], head[2:]
    text = deflated(200 << 20)
    yield "png: 65535 x 65535", png(65535, 65535), LARGE
    yield "png: the largest sides there are", png(2**31 - 1, 2**31 - 1), None
    yield "png: no sides", png(0, 0), FORMAT
    yield "png: 4097 x 4096", png(4097, 4096), LARGE
    yield "png: 100000 x 1", png(100_000, 1), LARGE
    yield "png: 1 x 4096", png(1, 4096), PARAMETER
    yield "png: 64 x 4096", png(64, 4096), PARAMETER
    yield "png: 20000 x 20000, one bit", png(20_000, 20_000, 1, 0), LARGE
    yield "png: 4096 x 4096 in 16 bit RGBA, cut", png(4096, 4096, 16, 6), FORMAT
    yield "png: 4096 x 4096 in 16 bit RGBA, whole", png(4096, 4096, 16, 6, data=deflated_rows(4096, 8)), "ok"
    yield "png: 4096 x 4096 in RGBA, whole", png(4096, 4096, 8, 6, data=deflated_rows(4096, 4)), "ok"
    yield "png: 4096 x 4096 in RGB, interlaced, whole", interlaced(4096), "ok"
    yield "jpeg: 4096 x 4096, whole", flat_jpeg(4096), "ok"
    yield "jpeg: 4096 x 4096, progressive, whole", progressive(4096), "ok"
    yield "png: 30000 x 30000 interlaced", png(30_000, 30_000, interlace=1), LARGE
    yield "png: 200 MB behind a small picture", png(100, 100, data=text), "ok"
    yield "png: 200 MB of compressed text", png(100, 100, extra=chunk(b"zTXt", b"a\0\0" + text)), FORMAT
    yield "png: 200 MB of international text", png(100, 100, extra=chunk(b"iTXt", b"a\0\1\0\0\0" + text)), FORMAT
    yield "png: 200 MB of colour profile", png(100, 100, extra=chunk(b"iCCP", b"a\0\0" + text)), FORMAT
    yield "png: 200 MB of EXIF", png(100, 100, extra=chunk(b"eXIf", b"MM\0*" * 300_000)), FORMAT
    yield "png: 100000 empty chunks", png(100, 100, extra=chunk(b"teSt", b"") * 100_000), FORMAT
    yield "png: no data at all", png(3000, 3000, data=b""), FORMAT
    yield "png: data that is not deflate", png(3000, 3000, data=b"\xff" * 5000), FORMAT
    yield "png: a length of 4 GB", png(100, 100)[:33] + b"\xff\xff\xff\xffIDAT" + b"x" * 100, FORMAT
    yield "png: a palette that is not there", png(3000, 3000, 8, 3), FORMAT
    yield "png: a colour type that is none", png(3000, 3000, 8, 5), FORMAT
    yield "png: a depth that is none", png(3000, 3000, 7, 2), FORMAT
    yield "png: cut behind its header", png(3000, 3000)[:40], FORMAT
    yield "png: animated, a million frames", png(100, 100, extra=chunk(b"acTL", struct.pack(">II", 10**6, 0))), FORMAT
    yield "jpeg: 65535 x 65535", sized(65535, 65535), None
    yield "jpeg: 65500 x 64", sized(65500, 64), LARGE
    yield "jpeg: no height", sized(128, 0), FORMAT
    yield "jpeg: no width", sized(0, 128), FORMAT
    yield "jpeg: 16 x 4096", sized(16, 4096), PARAMETER
    yield "jpeg: lossless", sized(4000, 4000, 0xC3), FORMAT
    yield "jpeg: arithmetic coding", sized(4000, 4000, 0xC9), FORMAT
    yield "jpeg: hierarchical", sized(4000, 4000, 0xC5), FORMAT
    yield "jpeg: 1000 scans", repeated_scans(progressive(64), 100), FORMAT
    yield "jpeg: 300 scans of 4000 x 4000", repeated_scans(progressive(4000), 30), FORMAT
    yield "jpeg: scans without end", progressive(4000)[:-2], FORMAT
    yield "jpeg: 4 MB of markers", soi + b"\xff" * (4_000_000 - len(head) - len(scan)) + rest + scan[:-2], FORMAT
    yield "jpeg: 60 comments of 64 kB and no picture", soi + segment(0xFE, b"x" * 65_000) * 60 + b"\xff\xd9", FORMAT
    yield "jpeg: 1000 tables and no picture", soi + segment(0xDB, b"\0" + b"\1" * 64) * 1000 + b"\xff\xd9", FORMAT
    yield "jpeg: a Huffman table with too many codes", soi + segment(0xC4, b"\0" + b"\xff" * 16 + b"x" * 4080) + rest + scan, FORMAT
    yield "jpeg: a segment longer than the file", soi + b"\xff\xe1\xff\xff" + b"x" * 100, FORMAT
    yield "jpeg: two frame headers", head + head[head.index(b"\xff\xc0") : head.index(b"\xff\xc0") + 19] + scan, FORMAT
    yield "jpeg: a scan before any frame", soi + scan, FORMAT
    yield "jpeg: half of a large one", progressive(4000)[: len(progressive(4000)) // 2], FORMAT
    yield "jpeg: an EXIF directory that leads to itself, and no scan", soi + exif_loop() + rest + b"\xff\xd9", FORMAT
    yield "jpeg: a progressive one of 65500 x 65500", sized(65500, 65500, 0xC2), LARGE
    yield "gif, webp, tiff and bmp by their first bytes", b"GIF89a" + b"\xff" * 5000, FORMAT
    yield "svg with a reference to a file", b"<svg><image href='file:///etc/passwd'/></svg>" * 100, FORMAT
    yield "4 MB of zeroes", b"\0" * (4 << 20), FORMAT
    yield "4 MB of noise", os.urandom(4 << 20), FORMAT


def call(operation, body):
    request = urllib.request.Request(
        ENDPOINT + "/",
        data=json.dumps(body).encode(),
        headers={"X-Amz-Target": f"RekognitionService.{operation}", "Content-Type": "application/x-amz-json-1.1"},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return "ok", json.load(answer)
    except urllib.error.HTTPError as error:
        return json.loads(error.read())["__type"], None


def family():
    """The daemon and its children."""
    children = pathlib.Path(f"/proc/{DAEMON}/task").glob("*/children")
    return [DAEMON, *{int(pid) for one in children for pid in one.read_text().split()}]


def cpu_seconds():
    total = 0
    for pid in family():
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def kilobytes(key):
    lines = (line for pid in family() for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())
    return sum(int(line.split()[1]) for line in lines if line.startswith(key))


def forget_peaks():
    for pid in family():
        pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")


def main():
    projects = call("DescribeProjects", {"ProjectNames": ["coco-ssd"]})[1]["ProjectDescriptions"]
    versions = call("DescribeProjectVersions", {"ProjectArn": projects[0]["ProjectArn"]})[1]
    arn = versions["ProjectVersionDescriptions"][0]["ProjectVersionArn"]

    def detect(data):
        image = {"Bytes": base64.b64encode(data).decode()}
        return call("DetectCustomLabels", {"ProjectVersionArn": arn, "Image": image})

    good = detect(PHOTO)
    assert good[0] == "ok" and good[1]["CustomLabels"], good
    failed, count, worst_cpu, worst_kb = False, 0, 0.0, 0
    before = set(family())
    for name, data, expected in bombs():
        data = data[: 4 << 20]
        forget_peaks()
        resident, cpu = kilobytes("VmRSS"), cpu_seconds()
        code, _ = detect(data)
        cpu, grown = cpu_seconds() - cpu, kilobytes("VmHWM") - resident
        worst_cpu, worst_kb, count = max(worst_cpu, cpu), max(worst_kb, grown), count + 1
        is_right = code == expected if expected else code in (FORMAT, LARGE, PARAMETER)
        still = detect(PHOTO)
        changed = set(family()) ^ before
        if is_right and still == good and not changed:
            print(f"PASS {name}: {cpu:.2f} s, {grown // 1024} MB")
        else:
            failed = True
            print(f"FAIL {name}: {code} instead of {expected}; {cpu:.2f} s, {grown // 1024} MB; then {still[0]}; processes {changed}")
    print(json.dumps({"bombs": count, "cpu_seconds": round(worst_cpu, 3), "memory_mb": round(worst_kb / 1024, 1)}))
    sys.exit(failed)


main()
