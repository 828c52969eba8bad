#!/usr/bin/env python3
"""ByteTrack on the boxes of `make accuracy`: JSON on stdin, JSON on stdout.

In: {"frames_per_second": F, "frames": [[[left, top, right, bottom, confidence], ...], ...]}, boxes in pixels.
Out: [[[track, left, top, right, bottom], ...], ...], a list a frame.

The implementation is the package cjm-byte-track. A track begins at a confidence of 0.5 and is kept for three seconds, as ours.
match_thresh is 0.9: at such low rates 0.8, the usual value, is worse.
"""
import json
import sys

import numpy
from cjm_byte_track.byte_tracker import BYTETracker

BEGINS_AT = 0.5
KEPT_SECONDS = 3

given = json.load(sys.stdin)
# The package begins a track 0.1 above `track_thresh`, and counts `track_buffer` in frames at 30 a second.
tracker = BYTETracker(
    track_thresh=BEGINS_AT - 0.1,
    track_buffer=30 * KEPT_SECONDS,
    match_thresh=0.9,
    frame_rate=given["frames_per_second"],
)
SIZE = (1, 1)  # the same on both sides: no scaling
tracks = []
for boxes in given["frames"]:
    found = tracker.update(numpy.array(boxes, dtype=float).reshape(-1, 5), SIZE, SIZE)
    tracks.append([[track.track_id, *map(float, track.tlbr)] for track in found])
json.dump(tracks, sys.stdout)
