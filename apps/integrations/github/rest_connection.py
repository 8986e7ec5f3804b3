"""PyGithub's connection, tamed: it hands back every answer as it came, bounded, and follows and repeats nothing.

PyGithub itself would lose the query of a redirected request, raise RuntimeError for another host, break on a nonsense
rate limit header and ask again without end on a 202.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import requests
from github.Requester import HTTPRequestsConnectionClass, HTTPSRequestsConnectionClass, RequestsResponse

from apps.integrations.github.errors import Unavailable
from apps.integrations.github.transport import MOST_BYTES, Response, bounded

CHUNK = 64 * 1024
TOTAL_TIMEOUT = 60.0


class NothingToDo(RequestsResponse):
    """What PyGithub gets to see: an empty success, about which it does nothing."""

    def __init__(self) -> None:
        super().__init__(requests.Response())
        self.status = 200

    def read(self) -> str:
        return ""


class _Keeping:
    """The part that both connections share. `answer` is the latest answer, of at most `most_bytes`."""

    answer = Response(0)
    most_bytes = MOST_BYTES
    session: requests.Session
    verb: str
    url: str

    def getresponse(self: Any) -> RequestsResponse:
        """Sends what `request` was told. Raises Unavailable, and QueryTooHeavy for an answer without end."""
        until = time.monotonic() + TOTAL_TIMEOUT
        try:
            with self.session.request(
                self.verb,
                f"{self.protocol}://{self.host}:{self.port}{self.url}",
                headers=self.headers,
                data=self.input,
                timeout=self.timeout,
                verify=self.verify,
                allow_redirects=False,
                stream=True,
            ) as answer:
                body = bounded(_chunks(answer), until=until, most_bytes=self.most_bytes)
                headers = {name.lower(): value for name, value in answer.headers.items()}
                self.answer = Response(answer.status_code, headers, body)
        except requests.RequestException as error:
            raise Unavailable(f"no answer: {type(error).__name__}") from error
        return NothingToDo()


class KeepingHttp(_Keeping, HTTPRequestsConnectionClass):
    pass


class KeepingHttps(_Keeping, HTTPSRequestsConnectionClass):
    pass


def _chunks(answer: requests.Response) -> Iterator[bytes]:
    chunks: Iterator[bytes] = answer.iter_content(CHUNK)
    return chunks


def connection_to(api_url: str, *, timeout: int, most_bytes: int = MOST_BYTES) -> KeepingHttp | KeepingHttps:
    """A connection that is kept open to the host of `api_url`; not to be shared between threads."""
    parts = urlsplit(api_url)
    kind = KeepingHttps if parts.scheme == "https" else KeepingHttp
    connection = kind(parts.hostname or "", parts.port, timeout=timeout, retry=0)
    connection.most_bytes = most_bytes
    return connection
