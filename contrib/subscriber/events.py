#!/usr/bin/env python3
"""Prints each event of a box once, in the order in which it happened, over connections that come and go.

    python3 events.py --host broker.lan --box gate-1 [--camera yard] [--user anna --password-file FILE] [--ca-file FILE]

It needs paho-mqtt 2 (`pip install paho-mqtt`). While it is away the broker keeps its session (--client-id) for --keep-hours,
and an event is acknowledged only after it was handled. How many messages wait is for the broker's settings to say (mosquitto:
max_queued_messages, 1000 without the line, and persistence true); `ocelli events --since 2h` on the box has those that it dropped.
Events arrive at least once, so the ids of the last ones are remembered in --state, over restarts too.
"""

import argparse
import collections
import json
import pathlib
import sys

from paho.mqtt import client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

REMEMBERED = 10_000


class Seen:
    """The ids of the last events, in a file that is only ever appended to, and cut at a start."""

    def __init__(self, path):
        lines = path.read_text().split() if path.exists() else []
        self.ids = collections.OrderedDict.fromkeys(lines[-REMEMBERED:])
        path.write_text("".join(f"{id}\n" for id in self.ids))
        self.file = path.open("a", buffering=1)

    def add(self, id):
        """False if it was there before."""
        if id in self.ids:
            return False
        self.ids[id] = None
        if len(self.ids) > REMEMBERED:
            self.ids.popitem(last=False)
        self.file.write(f"{id}\n")
        return True


def handle(event):
    """What is to be done with an event: your part. An exception ends the program, and the event comes again."""
    where = " in " + ", ".join(event["regions"]) if event.get("regions") else ""
    print(f'{event["at"]}  {event["camera"]}  {event["type"]}  {event["label"]}{where}', flush=True)


def read_event(payload):
    """The event of a message. What is none is told and passed over: it would come again at each start."""
    try:
        event = json.loads(payload)
    except ValueError:
        event = None
    if isinstance(event, dict):
        return event
    print(f"not an event: {payload[:80]!r}", file=sys.stderr)
    return {}


def on_connect(client, options, _flags, reason, _properties):
    if reason.is_failure:
        print(f"the broker refuses: {reason}", file=sys.stderr)
        return
    # At each connection: a broker that was replaced knows no session.
    client.subscribe(f"{options.prefix}/{options.box}/cameras/{options.camera}/events", qos=1)
    client.subscribe(f"{options.prefix}/{options.box}/available", qos=1)


def on_message(client, options, message):
    if message.topic.endswith("/available"):
        print(f"box {options.box} is {message.payload.decode()}", file=sys.stderr)
    elif message.payload:
        event = read_event(message.payload)
        # Other schemas may come on this topic one day; fields that are new in this one are no matter.
        if event.get("schema") == "ocelli.event.v1" and event["id"] not in options.seen.ids:
            handle(event)
            options.seen.add(event["id"])
    client.ack(message.mid, message.qos)


def read_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="localhost")
    parser.add_argument("--port", type=int)
    parser.add_argument("--box", required=True)
    parser.add_argument("--camera", default="+")
    parser.add_argument("--prefix", default="ocelli")
    parser.add_argument("--user")
    parser.add_argument("--password-file", type=pathlib.Path)
    parser.add_argument("--ca-file", help="connect over TLS, to a broker of this authority")
    parser.add_argument("--client-id", default="ocelli-events", help="one for each subscriber: by it the broker knows its session")
    parser.add_argument("--keep-hours", type=float, default=24)
    parser.add_argument("--state", type=pathlib.Path, default=pathlib.Path("ocelli-events.ids"))
    return parser.parse_args()


def main():
    options = read_options()
    options.seen = Seen(options.state)
    client = mqtt.Client(
        mqtt.CallbackAPIVersion.VERSION2, client_id=options.client_id, userdata=options, protocol=mqtt.MQTTv5, manual_ack=True
    )
    if options.user:
        client.username_pw_set(options.user, options.password_file.read_text().strip() if options.password_file else None)
    if options.ca_file:
        client.tls_set(ca_certs=options.ca_file)
    client.on_connect, client.on_message = on_connect, on_message
    client.reconnect_delay_set(min_delay=1, max_delay=60)
    session = Properties(PacketTypes.CONNECT)
    session.SessionExpiryInterval = int(options.keep_hours * 3600)
    # The first attempt may fail too: loop_forever tries again and again.
    port = options.port or (8883 if options.ca_file else 1883)
    client.connect_async(options.host, port, keepalive=30, clean_start=False, properties=session)
    try:
        client.loop_forever(retry_first_connection=True)
    except KeyboardInterrupt:
        client.disconnect()


if __name__ == "__main__":
    main()
