"""Home Assistant's own code reads our device discovery, and refuses what is broken.

    python home_assistant_check.py                              the golden message of the repository
    python home_assistant_check.py --payload FILE|- --topic T   one message
    python home_assistant_check.py --broker HOST:PORT --seconds 10 [--device box_cam]
                                                                what a broker keeps below homeassistant/device/

The Python is that of `setup/home_assistant.sh`: 3.13 with Home Assistant 2026.2, because device discovery came with
2024.11 and needs more than the 3.11 of Debian 12. Everything that Home Assistant does between a message from the broker
and its entities is done by its code, and nothing of it is repeated here:
* `mqtt.discovery` takes the message from its topic, applies DEVICE_DISCOVERY_SCHEMA and makes a configuration a component;
* each platform's DISCOVERY_SCHEMA accepts its configuration, and so does PLATFORM_SCHEMA_MODERN, which is the same
  without the leniency that lets a misspelt key pass unseen;
* its templates give the states meant for the payloads of our contract;
* an empty message takes every component away again.
What is not run: a whole Home Assistant with its interface. Ends with 1 and a sentence for each thing that is wrong.
"""

import argparse
import asyncio
import json
import sys
from pathlib import Path

from home_assistant.broken import BROKEN
from home_assistant.broker import retained
from home_assistant.meaning import wrong_meanings
from home_assistant.reading import Reader

GOLDEN = Path(__file__).parent.parent / "golden" / "home_assistant" / "gate-1_yard.json"


async def check(topic, payload):
    """Sentences about a message that should be in order."""
    reader = await Reader.start(topic.split("/device/")[0])
    reading = reader.read(topic, payload)
    wrong = list(reading.refusals)
    if not wrong:
        wrong += wrong_meanings(reading.components)
    if not wrong:
        kept = reader.remove(topic)
        wrong += [f"{key} is still there after an empty message" for key in kept]
    await reader.stop()
    return wrong, len(reading.components)


async def check_that_broken_ones_are_refused(topic, payload):
    """The check can fail: each of these is the same message with one mistake."""
    passed = []
    for mistake, spoil in BROKEN.items():
        reader = await Reader.start(topic.split("/device/")[0])
        spoilt_topic, spoilt = spoil(topic, json.loads(payload))
        spoilt = spoilt if isinstance(spoilt, str) else json.dumps(spoilt)
        reading = reader.read(spoilt_topic, spoilt)
        if not reading.refusals and not wrong_meanings(reading.components):
            passed.append(f"a message in which {mistake} is accepted, so this check is worth nothing")
        await reader.stop()
    return passed


def messages(arguments):
    if arguments.broker:
        host, port = arguments.broker.rsplit(":", 1)
        return retained(host, int(port), arguments.prefix, arguments.device, arguments.seconds)
    if arguments.payload == "-":
        return [(arguments.topic, sys.stdin.read())]
    return [(arguments.topic, Path(arguments.payload).read_text(encoding="utf-8"))]


def main():
    parser = argparse.ArgumentParser(description="Home Assistant's own code reads our device discovery.")
    parser.add_argument("--payload", default=str(GOLDEN))
    parser.add_argument("--topic", default="homeassistant/device/gate-1_yard/config")
    parser.add_argument("--broker")
    parser.add_argument("--prefix", default="homeassistant")
    parser.add_argument("--device", help="wait for this one")
    parser.add_argument("--seconds", type=float, default=10)
    arguments = parser.parse_args()
    found = messages(arguments)
    wrong = [] if found else ["the broker keeps no announcement"]
    for topic, payload in found:
        sentences, entities = asyncio.run(check(topic, payload))
        if len(payload.encode()) > 16 * 1024:
            sentences.append("it is longer than 16 KiB")
        wrong += [f"{topic}: {sentence}" for sentence in sentences]
        print(f"home assistant: {topic}: {entities} entities, {len(payload.encode())} bytes, {len(sentences)} mistakes")
    if found and not wrong:
        wrong += asyncio.run(check_that_broken_ones_are_refused(*found[0]))
        print(f"home assistant: {len(BROKEN)} broken messages tried")
    for sentence in wrong:
        print(sentence, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
