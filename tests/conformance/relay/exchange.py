"""One connection: bytes go on as they come, and requests are put together with their responses."""

import queue
import socket
import threading

# More of a body is passed on and not kept: it is an object.
MOST_KEPT = 4 << 20
PART = 64 << 10


class Head:
    """The first line and the headers of a message, and of a response as much of its body as is kept."""

    def __init__(self, lines):
        self.first = lines[0].decode("latin-1").rstrip("\r\n")
        pairs = (line.decode("latin-1").partition(":") for line in lines[1:-1])
        self.headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        self.body = b""

    @property
    def status(self):
        return int(self.first.split(" ")[1])

    @property
    def method(self):
        return self.first.split(" ")[0]

    @property
    def target(self):
        return self.first.split(" ")[1]


class Connection:
    def __init__(self, client, box, judged):
        self.client, self.judged = client, judged
        self.box = socket.create_connection(box)
        for one in (self.client, self.box):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.requests = queue.SimpleQueue()

    def run(self):
        answers = threading.Thread(target=self.guarded, args=(self.answer,), daemon=True)
        answers.start()
        self.guarded(self.ask)
        # The client asks no more. The box sees that, and may still answer.
        self.shut(self.box, socket.SHUT_WR)
        answers.join()
        self.shut(self.client, socket.SHUT_RDWR)
        self.box.close()

    @staticmethod
    def guarded(work):
        try:
            work()
        except (OSError, ValueError, IndexError):
            pass  # who ended the connection, or sends what is no HTTP, has meant to: the suite judges that

    @staticmethod
    def shut(one, how):
        try:
            one.shutdown(how)
        except OSError:
            pass

    def ask(self):
        source = self.client.makefile("rb", PART)
        while head := self.head(source, self.box):
            self.requests.put(head)
            self.body(head, source, self.box, keep=False)

    def answer(self):
        source = self.box.makefile("rb", PART)
        try:
            while head := self.head(source, self.client):
                if head.status == 100:
                    continue
                request = self.requests.get()
                is_empty = request.method == "HEAD" or head.status in (204, 304)
                if not is_empty:
                    self.body(head, source, self.client, keep=True)
                self.judged(request, head)
        finally:
            self.shut(self.client, socket.SHUT_RDWR)

    @staticmethod
    def head(source, target):
        lines = []
        while line := source.readline():
            target.sendall(line)
            lines.append(line)
            if line == b"\r\n":
                return Head(lines)
        return None

    @staticmethod
    def body(head, source, target, keep):
        left = int(head.headers.get("content-length", 0))
        while left > 0:
            part = source.read1(min(left, PART))
            if not part:
                raise ValueError("a body ended early")
            if keep and len(head.body) < MOST_KEPT:
                head.body += part
            target.sendall(part)
            left -= len(part)
