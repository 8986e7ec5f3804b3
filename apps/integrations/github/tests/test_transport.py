"""The way to GitHub: what is followed, what is sent where, and what breaks on the way."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator

import httpx
import pytest

from apps.integrations.github.errors import QueryTooHeavy, Unavailable
from apps.integrations.github.transport import HttpxTransport, Response

URL = "https://api.example/graphql"
TOKEN = {"Authorization": "bearer secret"}


def sending(answer: Callable[[httpx.Request], httpx.Response]) -> Response:
    with HttpxTransport(client=httpx.Client(transport=httpx.MockTransport(answer))) as transport:
        return transport.send("POST", URL, headers=TOKEN, body=b"{}")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_it_follows_a_redirect_on_the_same_host_with_everything_it_sent(status):
    seen = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append((request.method, request.url.path, request.headers.get("authorization"), request.content))
        if request.url.path == "/graphql":
            return httpx.Response(status, headers={"location": "/elsewhere"})
        return httpx.Response(200, content=b"there")

    response = sending(answer)
    assert (response.status, response.body) == (200, b"there")
    assert seen[1] == ("POST", "/elsewhere", "bearer secret", b"{}")


@pytest.mark.parametrize("target", ["https://other.example/x", "http://api.example/x", "https://api.example:444/x"])
def test_it_never_takes_the_token_to_another_host(target):
    hosts = []

    def answer(request: httpx.Request) -> httpx.Response:
        hosts.append(str(request.url))
        return httpx.Response(302, headers={"location": target})

    with pytest.raises(Unavailable, match="another host"):
        sending(answer)
    assert hosts == [URL]


def test_it_does_not_go_round_in_circles():
    with pytest.raises(Unavailable, match="too often"):
        sending(lambda request: httpx.Response(302, headers={"location": URL}))


@pytest.mark.parametrize(
    ("broken", "error"),
    [
        (httpx.ReadTimeout("slow"), QueryTooHeavy),
        (httpx.ConnectTimeout("slow"), Unavailable),
        (httpx.ConnectError("refused"), Unavailable),
        (httpx.RemoteProtocolError("peer closed connection without sending complete message body"), Unavailable),
        (httpx.ReadError("reset"), Unavailable),
    ],
)
def test_what_breaks_on_the_way_is_named(broken, error):
    def answer(request: httpx.Request) -> httpx.Response:
        raise broken

    with pytest.raises(error) as caught:
        sending(answer)
    assert "secret" not in str(caught.value)


def test_header_names_are_lower_case_for_everybody():
    response = sending(lambda request: httpx.Response(200, headers={"X-RateLimit-Limit": "5000"}))
    assert response.headers["x-ratelimit-limit"] == "5000"


def endless(chunk: bytes) -> Iterator[bytes]:
    while True:
        yield chunk


def test_an_answer_without_end_is_given_up():
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=endless(b"x" * 1000))

    with (
        HttpxTransport(client=httpx.Client(transport=httpx.MockTransport(answer)), most_bytes=10_000) as transport,
        pytest.raises(QueryTooHeavy, match="too large"),
    ):
        transport.send("POST", URL, headers=TOKEN, body=b"{}")


def test_a_packed_answer_is_bounded_by_what_it_unpacks_to():
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-encoding": "gzip"}, content=gzip.compress(b"x" * 1_000_000))

    with (
        HttpxTransport(client=httpx.Client(transport=httpx.MockTransport(answer)), most_bytes=100_000) as transport,
        pytest.raises(QueryTooHeavy, match="too large"),
    ):
        transport.send("POST", URL, headers=TOKEN, body=b"{}")


def test_an_answer_that_trickles_is_given_up():
    times = iter(range(0, 1000, 7))

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=endless(b" "))

    client = httpx.Client(transport=httpx.MockTransport(answer))
    with (
        HttpxTransport(client=client, total_timeout=60.0, clock=lambda: float(next(times))) as transport,
        pytest.raises(QueryTooHeavy, match="in time"),
    ):
        transport.send("POST", URL, headers=TOKEN, body=b"{}")
    assert next(times) == 70


def test_what_cannot_be_unpacked_is_unavailable():
    with pytest.raises(Unavailable):
        sending(lambda request: httpx.Response(200, headers={"content-encoding": "gzip"}, content=b"no gzip"))


@pytest.mark.parametrize("target", ["http://[nowhere", "https://api.example:port/x", "//"])
def test_a_redirect_to_no_address_is_unavailable(target):
    with pytest.raises(Unavailable):
        sending(lambda request: httpx.Response(302, headers={"location": target}))
