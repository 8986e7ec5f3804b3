"""The other side of `benchmarks.webhooks`: a process that sends signed deliveries and measures the answers.

`python -m benchmarks.webhook_load PORT PATH COUNT RATE CONNECTIONS` reads orders for nothing else: bodies come as JSON
lines {"event", "body", "secret"} on standard input, and one JSON line of figures goes out. RATE 0: as fast as the
answers come, else so many a second, whatever the server does (a late answer delays no other one's begin).
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from itertools import count, cycle


def requests(path: str, secret: str, events: list[tuple[str, bytes]]) -> Iterator[bytes]:
    """Whole HTTP requests, each with a guid of its own."""
    signed = [
        (name, body, hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode()) for name, body in events
    ]
    for name, body, signature in cycle(signed):
        head = (
            f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"X-GitHub-Event: {name}\r\nX-GitHub-Delivery: {uuid.uuid4()}\r\nContent-Length: {len(body)}\r\n"
        )
        yield head.encode() + b"X-Hub-Signature-256: sha256=" + signature + b"\r\n\r\n" + body


class Load:
    """`figures` says how many of each status, and the seconds of each answer, from when its request was due."""

    def __init__(self, port: int, made: Iterator[bytes], number: int, rate: float) -> None:
        self.statuses: Counter[str] = Counter()
        self.seconds: list[float] = []
        self._port, self._made, self._number, self._rate = port, made, number, rate
        self._taken = count()

    async def run(self, connections: int) -> float:
        self._began = time.perf_counter()
        await asyncio.gather(*(self._connection() for _ in range(connections)))
        return time.perf_counter() - self._began

    async def _connection(self) -> None:
        reader = writer = None
        while (place := next(self._taken)) < self._number:
            due = self._began + place / self._rate if self._rate else time.perf_counter()
            if (early := due - time.perf_counter()) > 0:
                await asyncio.sleep(early)
            request = next(self._made)
            if writer is None or writer.is_closing():
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            assert reader is not None
            try:
                writer.write(request)
                status = await self._answer(reader)
            except (ConnectionError, asyncio.IncompleteReadError):
                status = "broken off"
                writer.close()
            self.statuses[status] += 1
            self.seconds.append(time.perf_counter() - due)

    async def _answer(self, reader: asyncio.StreamReader) -> str:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        length = next(int(line.split(":")[1]) for line in head.split("\r\n") if line.lower().startswith("content-l"))
        await reader.readexactly(length)
        return head.split(" ", 2)[1]


def main(port: str, path: str, number: str, rate: str, connections: str) -> None:
    given = [json.loads(line) for line in sys.stdin]
    events = [(each["event"], each["body"].encode()) for each in given]
    load = Load(int(port), requests(path, given[0]["secret"], events), int(number), float(rate))
    seconds = asyncio.run(load.run(int(connections)))
    print(json.dumps({"seconds": seconds, "statuses": load.statuses, "answers": sorted(load.seconds)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
