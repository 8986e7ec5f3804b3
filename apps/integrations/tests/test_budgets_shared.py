"""Budgets in Redis, between workers that hammer, die and forget; and that memory follows the same rules."""

from __future__ import annotations

import os
import signal
import socket
import socketserver
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from functools import partial
from urllib.parse import urlsplit

import pytest
import redis
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.integrations.services.budgets import shared
from apps.integrations.services.budgets.memory import MemoryBudgets
from apps.integrations.services.budgets.shared import AWAY_SECONDS, SharedBudgets
from apps.integrations.services.budgets.terms import (
    LEASE_SECONDS,
    PLACES,
    Became,
    Busy,
    Closed,
    Granted,
)
from apps.integrations.tests.budget_support import NOW, RESET, asked, learn, left_of, new_account, silent, stated


@pytest.fixture
def keeper_at():
    """Makes keepers, as other processes have them."""
    with ExitStack() as made:
        yield lambda url, **more: made.enter_context(closing(SharedBudgets(url, **more)))


def test_a_command_that_arrives_twice_reserves_once(in_redis, account):
    learn(in_redis, account, 1000)
    request = asked(5)
    assert in_redis.lease([account], request, NOW) == in_redis.lease([account], request, NOW) == Granted(account)
    assert in_redis.standing(account, "graphql", NOW).reserved == 5


ACCOUNTS = st.lists(st.sampled_from("abc"), min_size=1, max_size=3, unique=True)
LEASES = st.tuples(st.just("lease"), ACCOUNTS, st.integers(1, 60), st.sampled_from([0, 100]), st.booleans())
SETTLES = st.tuples(
    st.just("settle"),
    st.integers(0, 4),
    st.sampled_from(list(Became)),
    st.none() | st.tuples(st.integers(0, 400), st.sampled_from([-5.0, 100.0, 102.0, 1000.0, 9e9]), st.integers(0, 90)),
    st.sampled_from([0.0, 30.0, 90.0]),
)
PASSING = st.tuples(st.just("time"), st.sampled_from([0.125, 1.0, 50.0, 90.0, 1000.0]))


@settings(max_examples=60)
@given(st.lists(LEASES | SETTLES | PASSING, max_size=40))
def test_redis_and_memory_follow_the_same_rules(in_redis, operations):
    here, there, prefix = MemoryBudgets(), in_redis, new_account()
    now, held = NOW, []
    for kind, *what in operations:
        if kind == "time":
            now += what[0]
        elif kind == "lease":
            names, cost, floor, is_light = what
            request = asked(cost, floor=floor, resource="core" if is_light else "graphql")
            accounts = [f"{prefix}{name}" for name in names]
            found, expected = there.lease(accounts, request, now), here.lease(accounts, request, now)
            assert same(found, expected)
            if isinstance(found, Granted):
                held.append((request, found.account))
        elif held:
            place, became, limits, wait = what
            request, account = held.pop(place % len(held))
            settled = silent(request, account, became, wait=wait, until=now + wait)
            if limits is not None:
                remaining, reset_in, actual = limits
                settled = replace(
                    settled,
                    resource=request.resource,
                    limit=400,
                    remaining=remaining,
                    reset_at=now + reset_in,
                    actual=actual,
                )
            there.settle(settled, now)
            here.settle(settled, now)
    for name in "abc":
        for resource in ("graphql", "core"):
            account = f"{prefix}{name}"
            assert there.standing(account, resource, now) == here.standing(account, resource, now)


def same(found: object, expected: object) -> bool:
    if isinstance(found, Busy) and isinstance(expected, Busy):
        return found.seconds == pytest.approx(expected.seconds, abs=1e-4)
    if isinstance(found, Closed) and isinstance(expected, Closed):
        return found.secondary == expected.secondary and found.until == pytest.approx(expected.until, abs=1e-4)
    return found == expected


class GitHub:
    """Charges what really comes, and remembers how much was under way at once."""

    def __init__(self, remaining: int, reset_at: float, meanwhile: Callable[[], None] = lambda: None) -> None:
        self.remaining, self.reset_at, self._meanwhile = remaining, reset_at, meanwhile
        self.lowest, self.most, self.requests, self._now = remaining, 0, 0, 0
        self._lock = threading.Lock()

    def __enter__(self):
        with self._lock:
            self._now += 1
            self.requests += 1
            self.most = max(self.most, self._now)
        if self.requests == 40:
            self._meanwhile()
        return self

    def __exit__(self, *error):
        with self._lock:
            self._now -= 1

    def charge(self, points: int) -> int:
        with self._lock:
            self.remaining -= points
            self.lowest = min(self.lowest, self.remaining)
            return self.remaining


def hammer(keeper: SharedBudgets, account: str, github: GitHub, seed: int) -> None:
    """One worker until the budget is used up."""
    costs = (1 + (seed + number) % 5 for number in range(10_000))
    request = asked(next(costs))
    while not isinstance(found := keeper.lease([account], request, time.time()), Closed):
        if isinstance(found, Granted):
            with github:
                left = github.charge(request.cost)
                os.sched_yield()
            keeper.settle(stated(request, account, left, reset_at=github.reset_at), time.time())
            request = asked(next(costs))


@pytest.mark.parametrize("flushed", [False, True])
def test_many_workers_never_exceed_the_budget_nor_the_places(redis_url, keeper_at, account, flushed):
    meanwhile = partial(forget, redis_url, account) if flushed else lambda: None
    github = GitHub(450, time.time() + 1800, meanwhile)
    keepers = [keeper_at(redis_url) for _ in range(8)]  # each with connections and a memory of its own
    workers = [
        threading.Thread(target=hammer, args=(keeper, account, github, seed)) for seed, keeper in enumerate(keepers)
    ]
    learn(keepers[0], account, github.remaining, now=time.time(), reset_at=github.reset_at)
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    # An empty Redis forgets who is under way: for a moment as many again may go out, and spend what they asked for.
    forgotten = PLACES * flushed
    assert github.most <= PLACES + forgotten
    assert 100 - 5 * forgotten <= github.lowest <= 104
    assert github.requests > 100


def forget(url: str, account: str) -> None:
    """As if Redis were flushed, for this account."""
    with redis.Redis.from_url(url) as client:
        client.delete(*(key for resource in ("graphql", "core") for key in shared._keys(account, resource)))


KILLED = """
    import sys, time
    from apps.integrations.services.budgets.shared import SharedBudgets
    from apps.integrations.services.budgets.terms import Asked
    keeper = SharedBudgets(sys.argv[1])
    for number in range(2):
        print(keeper.lease([sys.argv[2]], Asked(f"killed-{number}", "graphql", 3, 100), float(sys.argv[3])), flush=True)
    time.sleep(600)
"""


def test_a_killed_process_gives_back_its_places_and_points(redis_url, in_redis, account):
    learn(in_redis, account, 1000)
    arguments = [sys.executable, "-c", textwrap.dedent(KILLED), redis_url, account, str(NOW)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert [process.stdout.readline() for _ in range(2)] == [f"Granted(account={account!r})\n"] * 2
        process.send_signal(signal.SIGKILL)
    assert in_redis.lease([account], asked(), NOW + 1) == Busy(0.0)
    assert in_redis.standing(account, "graphql", NOW + 1).reserved == 6
    assert in_redis.lease([account], asked(), NOW + LEASE_SECONDS + 1) == Granted(account)
    assert in_redis.standing(account, "graphql", NOW + LEASE_SECONDS + 1).reserved == 1


def test_an_emptied_redis_learns_anew_from_the_next_answer(redis_url, in_redis, account):
    learn(in_redis, account, 777)
    forget(redis_url, account)
    assert left_of(in_redis, account) is None
    request = asked()
    assert in_redis.lease([account], request, NOW) == Granted(account)
    in_redis.settle(stated(request, account, 776), NOW)
    assert left_of(in_redis, account) == 776


def test_while_redis_is_away_the_process_knows_what_it_heard(keeper_at, account, caplog):
    away = keeper_at("redis://127.0.0.1:9/0")
    learn(away, account, 101)
    assert away.lease([account], asked(2), NOW) == Closed(RESET)
    assert away.lease([account], asked(1), NOW) == Granted(account)
    assert away.standing(account, "graphql", NOW).reserved == 1
    assert len(caplog.records) == 1  # once for each time that it went away


class Door(socketserver.ThreadingTCPServer):
    """An address behind which Redis is, from `open` on."""

    daemon_threads = True
    allow_reuse_address = True

    class Passing(socketserver.BaseRequestHandler):
        def handle(self):
            with socket.create_connection(self.server.behind) as behind:
                threading.Thread(target=self._pass, args=(behind, self.request), daemon=True).start()
                self._pass(self.request, behind)

        def _pass(self, one, other):
            with suppress(OSError):
                while data := one.recv(65536):
                    other.sendall(data)

    def __init__(self, redis_url):
        at = urlsplit(redis_url)
        self.behind = (at.hostname, at.port)
        super().__init__(("127.0.0.1", 0), self.Passing, bind_and_activate=False)
        self.server_bind()  # the port is ours, and nobody listens
        self.url = f"redis://127.0.0.1:{self.server_address[1]}{at.path}"

    def open(self):
        self.server_activate()
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()


def test_redis_is_asked_again_after_some_seconds(redis_url, keeper_at, in_redis, account):
    clock, door = [0.0], Door(redis_url)
    keeper = keeper_at(door.url, clock=lambda: clock[0])
    learn(keeper, account, 500)
    door.open()
    learn(keeper, account, 400)
    assert left_of(in_redis, account) is None
    clock[0] = AWAY_SECONDS
    learn(keeper, account, 300)
    assert left_of(in_redis, account) == left_of(keeper, account) == 300
    keeper.close()
    door.shutdown()
    door.server_close()


def test_a_lease_and_its_settling_are_one_command_each(redis_url, in_redis, account):
    keeper = in_redis
    keeper.standing(account, "graphql", NOW)
    with redis.Redis.from_url(redis_url) as client, client.monitor() as monitor:
        request = asked()
        keeper.lease([account, new_account()], request, NOW)
        keeper.settle(stated(request, account, 4000), NOW)
        commands = []
        client.echo(account)  # the end of what is of interest
        for seen in monitor.listen():
            if seen["command"] == f"ECHO {account}":
                break
            if seen["client_type"] != "lua" and account in seen["command"]:
                commands.append(seen["command"].split()[0])
    assert commands == ["EVALSHA", "EVALSHA"]


def test_keys_do_not_outlive_what_they_say(redis_url, in_redis, account):
    now = time.time()
    request = asked()
    in_redis.lease([account], request, now)
    in_redis.settle(stated(request, account, 4000, reset_at=now + 1800), now)
    in_redis.settle(silent(request, account, Became.SECONDARY, wait=30.0), now)
    in_redis.lease([account], asked(resource="core"), now)
    with redis.Redis.from_url(redis_url) as client:
        keys = list(client.scan_iter(match=f"tformance:budget:{account}:*"))
        lives = [client.ttl(key) for key in keys]
    assert keys
    assert all(0 < life <= 7300 for life in lives)


@pytest.mark.parametrize("garbage", ["1e300", "inf", "nan", "nonsense", "-inf"])
@pytest.mark.parametrize("name", ["closed_until", "reset_at", "paced", "limit", "remaining"])
def test_nonsense_that_somebody_wrote_into_redis_closes_no_account(in_redis, redis_url, account, name, garbage):
    with redis.Redis.from_url(redis_url) as client:
        client.hset(f"tformance:budget:{account}:of:graphql", name, garbage)
        client.hset(f"tformance:budget:{account}:block", "until", garbage)
    request = asked()
    assert in_redis.lease([account], request, NOW) == Granted(account)
    in_redis.settle(stated(request, account, 4000), NOW)
    assert left_of(in_redis, account) == 4000
    assert in_redis.lease([account], asked(), NOW) == Granted(account)


def test_a_lease_without_an_end_takes_no_place(in_redis, redis_url, account):
    with redis.Redis.from_url(redis_url) as client:
        client.zadd(f"tformance:budget:{account}:leases", {f"graphql|1|{n}": float("inf") for n in range(PLACES)})
    assert in_redis.lease([account], asked(), NOW) == Granted(account)


@pytest.mark.parametrize("resource", ["leases", "block"])
def test_a_resource_of_any_name_is_kept_apart_from_what_is_under_way(in_redis, account, resource):
    request = asked()
    in_redis.lease([account], request, NOW)
    in_redis.settle(replace(stated(request, account, 4000), resource=resource), NOW)
    assert in_redis.lease([account], asked(), NOW) == Granted(account)
