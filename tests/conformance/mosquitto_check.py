"""mosquitto_sub, in both versions of MQTT, finds every message of a running box as the contract says.

    python mosquitto_check.py --port 1883 --box gate-1 --seconds 20 [--host 127.0.0.1] [--prefix ocelli]
        [--require detections,events] [-- more arguments of mosquitto_sub]

As `paho_check.py`, with another author's client; it needs no package of Python's. Ends with 1 and a sentence for each
violation.
"""

import argparse
import subprocess
import sys
import tempfile
from collections import Counter

from mqtt_contract import ALWAYS, Contract, kind_of

VERSIONS = {"5": ["-V", "5", "--retain-as-published"], "3.1.1": ["-V", "311"]}


def subscribe(version, arguments):
    # Topic, QoS, retain flag and the payload in hexadecimal: pictures cross a line of text too.
    command = ["mosquitto_sub", "-h", arguments.host, "-p", str(arguments.port), "-q", "2", "-F", "%t %q %r %x"]
    command += ["-t", f"{arguments.prefix}/{arguments.box}/#", "-W", str(arguments.seconds)]
    # Into a file: a pipe that nobody reads yet would hold the client up, and the broker would drop messages.
    output = tempfile.TemporaryFile("w+")
    return output, subprocess.Popen(command + VERSIONS[version] + arguments.more, stdout=output)


def judge(version, output, process, arguments):
    """What was heard, counted, and sentences."""
    counts, wrong, contract = Counter(), [], Contract(arguments.box)
    process.wait()
    output.seek(0)
    for line in output:
        topic, qos, retained, payload = line.removesuffix("\n").rsplit(" ", 3)
        rest = topic.removeprefix(f"{arguments.prefix}/{arguments.box}/")
        counts[kind_of(rest) or rest] += 1
        found = contract.wrong_in(rest, bytes.fromhex(payload), int(qos), retained == "1", version == "5")
        wrong += [f"{topic}: {sentence}" for sentence in found]
    # 27: its time is over.
    if process.returncode not in (0, 27):
        wrong.append(f"mosquitto_sub ended with {process.returncode}")
    wrong += contract.wrong_at_the_end()
    return counts, wrong + [f"nothing was heard of `{kind}`" for kind in arguments.required if not counts[kind]]


def main():
    parser = argparse.ArgumentParser(description="Payloads against the contract, by mosquitto_sub.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=1883)
    parser.add_argument("--prefix", default="ocelli")
    parser.add_argument("--box", required=True)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--require", default="", help="kinds of topic, with commas")
    parser.add_argument("more", nargs="*", help="of mosquitto_sub")
    arguments = parser.parse_args()
    arguments.required = ALWAYS + [kind for kind in arguments.require.split(",") if kind]
    clients = {version: subscribe(version, arguments) for version in VERSIONS}
    failed = False
    for version, (output, process) in clients.items():
        counts, wrong = judge(version, output, process, arguments)
        heard = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
        print(f"mosquitto_sub {version}: {heard or 'nothing'}; {len(wrong)} violations")
        for sentence, times in Counter(wrong).most_common():
            print(f"mosquitto_sub {version}: {sentence}" + (f" ({times} times)" if times > 1 else ""), file=sys.stderr)
        failed |= bool(wrong)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
