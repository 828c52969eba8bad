"""A relay between clients and the box that judges every response by botocore's service models: relay PORT_OF_THE_BOX.

It prints its own port, passes bytes on as they are (what is signed stays so), and reads along. When its standard input
ends, it prints a JSON object: how many responses it saw of which operations, and what was wrong with them.
"""

import collections
import json
import socketserver
import sys
import threading

from exchange import Connection
from judge import Judge

BOX = ("127.0.0.1", int(sys.argv[1]))
judge, lock = Judge(), threading.Lock()
seen, wrong = collections.Counter(), []


def judged(request, response):
    if not is_meant(request) or response.status == 431:
        return  # no client of AWS, or a head that HTTP itself refuses
    try:
        operation, problems = judge.problems(request, response)
    except Exception as error:
        # A body that cannot be read, or a judge that is wrong: either is told, and the client gets what is left of its answer.
        operation, problems = request.target, [f"it cannot be judged: {error!r}"]
    with lock:
        seen[operation] += 1
        wrong.extend(f"{operation} {response.status}: {problem}" for problem in problems)


def is_meant(request):
    authorization = request.headers.get("authorization", "")
    is_s3 = "/s3/aws4_request" in authorization or authorization.startswith("AWS ") or "X-Amz-Signature=" in request.target
    return is_s3 or "x-amz-target" in request.headers


class Relay(socketserver.BaseRequestHandler):
    def handle(self):
        Connection(self.request, BOX, judged).run()


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 128


with Server(("127.0.0.1", 0), Relay) as server:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()
    with lock:
        print(json.dumps({"responses": sum(seen.values()), "operations": seen, "wrong": wrong}))
