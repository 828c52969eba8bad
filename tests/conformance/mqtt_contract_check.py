"""The tables of `mqtt_contract.py` and the schemas in `docs/schemas` accept messages that are in order and refuse each of
these mistakes. Needs no broker, but `fastjsonschema`."""

import json
import sys

from mqtt_contract import VALIDATORS, Contract, wrong_by_schema

DETECTIONS = {
    "schema": "ocelli.detections.v1", "id": "5f1c-000000421", "box": "gate-1", "camera": "yard", "frame": 421,
    "captured_at": "2026-11-24T08:15:30.123Z", "clock_synced": True, "width": 1920, "height": 1080, "model": "coco-ssd",
    "model_version": "1", "latency_ms": {"queue": 3.1, "inference": 24.8, "total": 31.0},
    "detections": [{"label": "person", "confidence": 0.91, "track": 17,
                    "box": {"left": 0.31, "top": 0.22, "width": 0.08, "height": 0.37}}],
}
EVENT = {
    "schema": "ocelli.event.v1", "id": "5f1c-1", "seq": 5, "type": "ended", "track": 17, "label": "person",
    "began_at": "2026-11-24T08:15:30.123Z", "at": "2026-11-24T08:15:31.000Z", "ended_at": "2026-11-24T08:15:31.000Z",
    "confidence": 0.9, "box": {"left": 0, "top": 0, "width": 1, "height": 1}, "camera": "yard", "model": "coco-ssd",
    "regions": ["gate"], "box_id": "gate-1", "model_version": "1", "clock_synced": True,
}
BOX_STATE = {
    "schema": "ocelli.state.v1", "version": "0.1.0", "boot_id": "5f1c", "degraded": [],
    "models": {"coco-ssd": {
        "state": "RUNNING", "package": "coco-ssd", "version": "1", "variant": "float", "min_units": 1, "desired_units": 1,
        "in_service_units": 1, "unit_batch": 1, "unit_tps": 10.0, "unit_frame_tps": 10.0, "unit_image_tps": 9.0,
        "capacity_tps": 10.0, "load_tps": 5.0, "transactions": 0, "inference_hours": 0.1,
        "nodes": {"cpu": {"CPUExecutionProvider": 61}}}},
}
REPLY = {"schema": "ocelli.reply.v1", "command": "scale", "id": None, "accepted": True}
STATE = {"schema": "ocelli.camera-state.v1", "state": "streaming", "codec": "h264", "width": 640, "height": 480, "fps": 5.0}
BOX = {"left": 0.9, "top": 0.2, "width": 0.2, "height": 0.1}
JPEG = b"\xff\xd8picture\xff\xd9"


def with_first(**changes):
    return DETECTIONS | {"detections": [DETECTIONS["detections"][0] | changes]}


# Topic, payload, QoS, retained.
GOOD = [
    ("available", b"stopped", 1, True),
    ("cameras/yard/state", STATE, 1, True),
    ("cameras/yard/state", b"", 1, True),
    ("state", BOX_STATE, 1, True),
    ("reply", REPLY, 1, False),
    ("reply", REPLY | {"id": {"any": 1}, "accepted": False, "error": {"message": "there is no such model"}}, 1, False),
    ("cameras/yard/detections", DETECTIONS, 0, False),
    ("cameras/yard/detections", DETECTIONS | {"id": "2", "detections": [], "added": "later"}, 0, False),
    ("cameras/yard/events", EVENT, 1, False),
    ("cameras/yard/events", EVENT, 1, False),
    ("cameras/yard/events", EVENT | {"id": "5f1c-2", "seq": 6}, 1, False),
    ("cameras/door/events", EVENT | {"id": "5f1c-3", "seq": 9, "camera": "door", "dropped": 2}, 1, False),
    ("cameras/yard/labels/traffic_light", b"0", 1, True),
    ("cameras/yard/snapshot", JPEG, 0, True),
]
BAD = [
    ("cameras/Yard/state", STATE, 1, True),
    ("secret", b"", 1, True),
    ("available", b"on", 1, True),
    ("available", b"online", 0, True),
    ("available", b"online", 1, False),
    ("state", b"{}", 1, True),
    ("cameras/yard/state", STATE | {"state": "asleep"}, 1, True),
    ("cameras/yard/state", STATE | {"schema": "ocelli.state.v1"}, 1, True),
    ("cameras/yard/state", STATE | {"reason": None}, 1, True),
    ("state", {key: it for key, it in BOX_STATE.items() if key != "schema"}, 1, True),
    ("state", BOX_STATE | {"models": {"coco-ssd": {}}}, 1, True),
    ("available", b"", 1, True),
    ("reply", REPLY | {"accepted": "yes"}, 1, False),
    ("cameras/yard/state", b"\xff{}", 1, True),
    ("cameras/yard/state", b"[]", 1, True),
    ("cameras/yard/detections", DETECTIONS, 1, False),
    ("cameras/yard/detections", DETECTIONS, 0, True),
    ("cameras/yard/detections", DETECTIONS | {"schema": "ocelli.detections.v2"}, 0, False),
    ("cameras/yard/detections", DETECTIONS | {"captured_at": "2026-11-24T08:15:30Z"}, 0, False),
    ("cameras/yard/detections", DETECTIONS | {"captured_at": "2026-13-24T08:15:30.123Z"}, 0, False),
    ("cameras/yard/detections", DETECTIONS | {"clock_synced": False}, 0, False),
    ("cameras/yard/detections", DETECTIONS | {"box": "other"}, 0, False),
    ("cameras/yard/detections", DETECTIONS | {"camera": "door"}, 0, False),
    ("cameras/yard/detections", DETECTIONS | {"width": 0}, 0, False),
    ("cameras/yard/detections", DETECTIONS | {"padding": "x" * 16384}, 0, False),
    ("cameras/yard/detections", with_first(box=BOX), 0, False),
    ("cameras/yard/detections", with_first(confidence=91), 0, False),
    ("cameras/yard/detections", with_first(label=""), 0, False),
    ("cameras/yard/detections", json.dumps(DETECTIONS).replace("0.91", "NaN").encode(), 0, False),
    ("cameras/yard/events", EVENT | {"type": "start"}, 1, False),
    ("cameras/yard/events", {key: it for key, it in EVENT.items() if key != "box_id"}, 1, False),
    ("cameras/yard/events", {key: it for key, it in EVENT.items() if key != "ended_at"}, 1, False),
    ("cameras/yard/events", EVENT | {"began_at": "2026-11-24T09:00:00.000Z"}, 1, False),
    ("cameras/yard/labels/person", b"01", 1, True),
    ("cameras/yard/labels/person", b"1", 1, False),
    ("cameras/yard/snapshot", b"GIF89a", 0, True),
]

# Kind of command, its payload, whether it is in order: commands come from others, and are held against schemas alone.
COMMANDS = [
    ("camera command", {"camera": "yard", "id": 7}, True),
    ("camera command", {"id": 7}, False),
    ("camera command", {"camera": "yard", "model": "coco-ssd"}, False),
    ("model command", {"model": "coco-ssd", "min_inference_units": 1, "max_inference_units": 2}, True),
    ("model command", {"model": "coco-ssd", "min_inference_units": -1}, False),
]

# What it is, whether it is wrong, and the events' cameras and `seq`, with what they say was dropped.
SEQUENCES = [
    ("in order", False, [("yard", 5), ("door", 6), ("yard", 7), ("door", 8), ("yard", 9)]),
    ("one comes twice", False, [("yard", 5), ("yard", 6), ("yard", 5), ("yard", 6), ("yard", 7)]),
    ("a camera overtakes", False, [("yard", 5), ("door", 6), ("door", 9), ("yard", 7), ("yard", 8), ("door", 10)]),
    ("a camera was overtaken before anybody listened", False, [("yard", 7), ("door", 9), ("yard", 10), ("door", 11)]),
    ("a camera is still behind", False, [("yard", 5), ("door", 6), ("door", 9)]),
    ("dropped, and told", False, [("yard", 5), ("yard", 8, 2), ("yard", 9)]),
    ("another boot", False, [("yard", 5), ("yard", 6)] + [("yard", 1, 0, "next"), ("yard", 2, 0, "next")]),
    ("one is missing", True, [("yard", 5), ("yard", 7)]),
    ("one of two cameras' is missing", True, [("yard", 5), ("door", 6), ("yard", 8), ("door", 9)]),
    ("more are missing than were told", True, [("yard", 5), ("yard", 8, 1)]),
    ("out of order", True, [("yard", 6), ("yard", 5)]),
]


def wrong_in_sequence(events):
    contract, wrong = Contract("gate-1"), []
    for camera, seq, dropped, boot in [(*event, *(0, "5f1c")[len(event) - 2:]) for event in events]:
        message = EVENT | {"id": f"{boot}-{seq}", "seq": seq, "camera": camera} | ({"dropped": dropped} if dropped else {})
        wrong += wrong_in(contract, f"cameras/{camera}/events", message, 1, False)
    return bool(wrong + contract.wrong_at_the_end())


def wrong_in(contract, topic, payload, qos, retained):
    payload = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return contract.wrong_in(topic, payload, qos, retained, True)


def main():
    failed, contract = [], Contract("gate-1")
    for case in GOOD:
        failed += [f"refused, but in order: {case[0]}: {sentence}" for sentence in wrong_in(contract, *case)]
    failed += [f"accepted: {case}"[:200] for case in BAD if not wrong_in(Contract("gate-1"), *case)]
    failed += [f"misjudged: {it}" for kind, it, is_right in COMMANDS if is_right == bool(wrong_by_schema(kind, it))]
    failed += [] if VALIDATORS else ["fastjsonschema is not installed: no message was held against its schema"]
    failed += [f"misjudged: {what}" for what, is_wrong, events in SEQUENCES if is_wrong != wrong_in_sequence(events)]
    print(f"contract: {len(GOOD)} messages in order, {len(BAD)} mistakes, {len(SEQUENCES)} sequences, {len(failed)} misjudged")
    for sentence in failed:
        print(sentence, file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
