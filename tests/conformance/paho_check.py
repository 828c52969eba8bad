"""paho-mqtt, in both versions of MQTT, finds every message of a running box as the contract says.

    python paho_check.py --port 1883 --box gate-1 --seconds 20 [--host 127.0.0.1] [--prefix ocelli]
        [--user U --password P] [--require detections,events] [--protocol 5|3.1.1]

The daemon runs already. Each client subscribes to everything below <prefix>/<box>, first gets what the broker keeps, then
listens. Ends with 1 and a sentence for each violation; a kind of topic in `--require` that nobody heard is one too.
`available`, `state` and the cameras' `state` are always required.
"""

import argparse
import sys
import threading
import time
from collections import Counter

from mqtt_contract import ALWAYS, Contract, kind_of
from paho.mqtt import client as paho

PROTOCOLS = {"5": paho.MQTTv5, "3.1.1": paho.MQTTv311}


class Listener:
    """One client for one version: what it heard, counted, and what was wrong with it."""

    def __init__(self, version, arguments):
        self.version, self.counts, self.wrong = version, Counter(), []
        self.root = f"{arguments.prefix}/{arguments.box}"
        self.contract = Contract(arguments.box)
        self.granted = threading.Event()
        self.client = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=PROTOCOLS[version])
        if arguments.user:
            self.client.username_pw_set(arguments.user, arguments.password)
        self.client.on_connect, self.client.on_subscribe = self.connected, self.subscribed
        self.client.on_message = self.heard
        self.client.connect(arguments.host, arguments.port)
        self.client.loop_start()

    def connected(self, client, _data, _flags, reason, _properties):
        if reason.is_failure:
            self.wrong.append(f"the broker refuses: {reason}")
            return
        if self.version == "5":
            # With 5 a subscriber can see the publisher's own retain flag; with 3.1.1 the broker clears it on live ones.
            client.subscribe(f"{self.root}/#", options=paho.SubscribeOptions(qos=2, retainAsPublished=True))
        else:
            client.subscribe(f"{self.root}/#", 2)

    def subscribed(self, _client, _data, _mid, reasons, _properties):
        if any(reason.is_failure for reason in reasons):
            self.wrong.append(f"the subscription is refused: {reasons[0]}")
        self.granted.set()

    def heard(self, _client, _data, message):
        rest = message.topic.removeprefix(f"{self.root}/")
        kind = kind_of(rest)
        self.counts[kind or rest] += 1
        try:
            wrong = self.contract.wrong_in(rest, message.payload, message.qos, message.retain, self.version == "5")
        except Exception as error:  # What the check cannot read is a violation, not the end of the check.
            wrong = [f"cannot be read: {error!r}"]
        self.wrong += [f"{message.topic}: {sentence}" for sentence in wrong]

    def end(self, required):
        self.client.disconnect()
        self.client.loop_stop()
        if not self.granted.is_set():
            self.wrong.append("the subscription was never granted")
        self.wrong += self.contract.wrong_at_the_end()
        self.wrong += [f"nothing was heard of `{kind}`" for kind in required if not self.counts[kind]]


def main():
    parser = argparse.ArgumentParser(description="Payloads against the contract, by paho-mqtt.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=1883)
    parser.add_argument("--prefix", default="ocelli")
    parser.add_argument("--box", required=True)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--user")
    parser.add_argument("--password")
    parser.add_argument("--require", default="", help="kinds of topic, with commas")
    parser.add_argument("--protocol", choices=PROTOCOLS, action="append", help="both without it")
    arguments = parser.parse_args()
    listeners = [Listener(version, arguments) for version in arguments.protocol or PROTOCOLS]
    time.sleep(arguments.seconds)
    failed = False
    for listener in listeners:
        listener.end(ALWAYS + [kind for kind in arguments.require.split(",") if kind])
        heard = ", ".join(f"{count} {kind}" for kind, count in sorted(listener.counts.items()))
        print(f"paho {listener.version}: {heard or 'nothing'}; {len(listener.wrong)} violations")
        # The same mistake in each of a thousand messages is one sentence.
        for sentence, times in Counter(listener.wrong).most_common():
            print(f"paho {listener.version}: {sentence}" + (f" ({times} times)" if times > 1 else ""), file=sys.stderr)
        failed |= bool(listener.wrong)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
