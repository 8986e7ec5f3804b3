"""The other side of `benchmarks.webhooks`: a process that sends signed deliveries and measures the answers.

`python benchmarks/webhook_load.py PORT PATH COUNT RATE CONNECTIONS`: bodies come as JSON lines {"event", "body",
"secret"} on standard input, and one JSON line of figures goes out. RATE 0: as fast as the answers come, else so many a
second, whatever the server does (a late answer delays no other one's begin, as long as a connection is free).

A thread and a socket for each connection, kept open, and nothing between them and the request's bytes: what this
process computes is taken from the server on the same machine.
"""

from __future__ import annotations

import gc
import hashlib
import hmac
import json
import socket
import sys
import time
import uuid
from collections import Counter
from itertools import count
from threading import Thread


class Requests:
    """Whole HTTP requests, each with a guid of its own; for several threads."""

    def __init__(self, path: str, secret: str, events: list[tuple[str, bytes]]) -> None:
        self._ready = []
        for name, body in events:
            signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
            head = (
                f"POST {path} HTTP/1.1\r\nHost: localhost\r\n"
                f"Content-Type: application/json\r\nX-GitHub-Event: {name}\r\n"
                f"Content-Length: {len(body)}\r\nX-Hub-Signature-256: sha256={signature}\r\nX-GitHub-Delivery: "
            )
            self._ready.append((head.encode(), b"\r\n\r\n" + body))

    def __getitem__(self, place: int) -> bytes:
        head, rest = self._ready[place % len(self._ready)]
        return head + str(uuid.uuid4()).encode() + rest


class Load:
    """How many of each status came, and after how many seconds each, from when its request was due."""

    def __init__(self, port: int, made: Requests, number: int, rate: float) -> None:
        self.statuses: Counter[str] = Counter()
        self.seconds: list[float] = []
        self._port, self._made, self._number, self._rate = port, made, number, rate
        self._taken = count()

    def run(self, connections: int) -> float:
        threads = [Thread(target=self._connection) for _ in range(connections)]
        self._began = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return time.perf_counter() - self._began

    def _connection(self) -> None:
        to: socket.socket | None = None
        while (place := next(self._taken)) < self._number:
            due = self._began + place / self._rate if self._rate else time.perf_counter()
            if (early := due - time.perf_counter()) > 0:
                time.sleep(early)
            if to is None:
                to = socket.create_connection(("127.0.0.1", self._port))
                to.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                to.sendall(self._made[place])
                status, is_kept = _answer(to)
            except ConnectionError:
                status, is_kept = "broken off", False
            self.statuses[status] += 1
            self.seconds.append(time.perf_counter() - due)
            if not is_kept:
                to.close()
                to = None


def _answer(to: socket.socket) -> tuple[str, bool]:
    """Its status, and whether the server keeps the connection."""
    read = b""
    while b"\r\n\r\n" not in read:
        read += _more(to)
    head, _, body = read.partition(b"\r\n\r\n")
    head = head.lower()
    length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
    while len(body) < length:
        body += _more(to)
    return head.split(b" ", 2)[1].decode(), b"connection: close" not in head


def _more(to: socket.socket) -> bytes:
    read = to.recv(65536)
    if not read:
        raise ConnectionResetError
    return read


def main(port: str, path: str, number: str, rate: str, connections: str) -> None:
    given = [json.loads(line) for line in sys.stdin]
    events = [(each["event"], each["body"].encode()) for each in given]
    load = Load(int(port), Requests(path, given[0]["secret"], events), int(number), float(rate))
    gc.freeze()
    began = time.process_time()
    seconds = load.run(int(connections))
    own = time.process_time() - began
    print(json.dumps({"seconds": seconds, "own": own, "statuses": load.statuses, "answers": sorted(load.seconds)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
