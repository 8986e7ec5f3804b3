"""Tests reach this machine and nothing else."""

import socket

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from pytest_socket import SocketConnectBlockedError


@pytest.mark.django_db
def test_postgresql_redis_and_a_local_server_can_be_reached() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)
    cache.set("tests/sockets", 1, timeout=5)
    assert cache.get("tests/sockets") == 1
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()


@pytest.mark.filterwarnings("ignore:A test tried to use")  # its warning says the same as its error
@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1"])
def test_other_machines_are_refused(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as outward, pytest.raises(SocketConnectBlockedError):
        outward.connect((host, 443))


def test_github_is_nowhere_by_default() -> None:
    assert (settings.GITHUB_API_URL, settings.GITHUB_WEB_URL) == ("http://127.0.0.1:9", "http://127.0.0.1:9")
