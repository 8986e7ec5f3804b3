"""A sandbox GitHub over real HTTP, and three people: an admin of the team, a member of it, and somebody of neither."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
import redis
from django.conf import settings as django_settings
from django.test import Client as Browser

from apps.integrations.factories import GitHubIntegrationFactory, IntegrationCredentialFactory, WebhookEndpointFactory
from apps.integrations.models import GitHubIntegration
from apps.integrations.services.budgets.shared import SharedBudgets
from apps.integrations.tests.budget_support import new_account
from apps.teams.factories import MembershipFactory
from apps.teams.models import Membership
from devtools.github_sandbox.oauth import Client
from devtools.github_sandbox.server import SandboxServer


@pytest.fixture(scope="module")
def running_sandbox():
    """One organisation with three repositories, and its people."""
    clients = (Client("the-app", "its-secret"), Client("the-expiring-app", "its-secret", expiring=True))
    with SandboxServer(synthetic=["acme:shop:3:1", "acme:web:2:2", "acme:docs:1:3"], clients=clients) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running_sandbox, settings):
    running_sandbox.faults.clear()
    running_sandbox.limits.preset(remaining=5000, reset_in=3600)
    settings.GITHUB_API_URL = settings.GITHUB_WEB_URL = running_sandbox.url
    settings.GITHUB_CLIENT_ID, settings.GITHUB_CLIENT_SECRET = "the-app", "its-secret"
    settings.BASE_URL = "http://127.0.0.1:9"  # nobody listens: the sandbox sends its events into the void
    _forget_budgets(settings.REDIS_URL, running_sandbox.url)
    return running_sandbox


def _forget_budgets(redis_url, github_url) -> None:
    """What earlier tests used up of the sandbox's hour."""
    client = redis.Redis.from_url(redis_url)
    for key in client.scan_iter(match=f"tformance:budget:{urlsplit(github_url).netloc}:*"):
        client.delete(key)
    client.close()


@pytest.fixture
def acme(sandbox):
    """The organisation's account in the sandbox."""
    return sandbox.world.account("acme")


@pytest.fixture
def owner(team):
    return MembershipFactory.create(team=team, role=Membership.Role.ADMIN).user


@pytest.fixture
def teammate(team):
    return MembershipFactory.create(team=team).user


@pytest.fixture
def outsider(other_team):
    return MembershipFactory.create(team=other_team, role=Membership.Role.ADMIN).user


def _signed_in(user) -> Browser:
    client = Browser()
    client.force_login(user)
    return client


@pytest.fixture
def as_owner_of_team(owner):
    return _signed_in(owner)


@pytest.fixture
def as_teammate(teammate):
    return _signed_in(teammate)


@pytest.fixture
def as_outsider(outsider):
    return _signed_in(outsider)


@pytest.fixture
def stranger():
    return Browser()


@pytest.fixture
def connected(acme, team) -> GitHubIntegration:
    """The team's connection to the sandbox's organisation, with the token that may do everything."""
    integration = GitHubIntegrationFactory.create(team=team, organization_id=acme.database_id, organization_slug="acme")
    IntegrationCredentialFactory.create(
        team=team,
        integration=integration,
        access_token="sandbox-token",
        github_user_id=9_000_000_001,
        github_login="sandbox-owner",
    )
    WebhookEndpointFactory.create(team=team, integration=integration)
    return integration


@pytest.fixture
def queued(django_capture_on_commit_callbacks):
    """`with queued() as tasks: …`: the names and arguments of what was enqueued meanwhile, and nothing runs."""

    class Queued(list):
        def __enter__(self):
            self._capture = django_capture_on_commit_callbacks()
            self._callbacks = self._capture.__enter__()
            return self

        def __exit__(self, *error):
            self._capture.__exit__(*error)
            for callback in self._callbacks:
                self.append((callback.task.name.rpartition(".")[2], *callback.args))

    return Queued


@pytest.fixture(scope="module")
def redis_url():
    """A Redis that is there."""
    with redis.Redis.from_url(django_settings.REDIS_URL) as client:
        client.ping()  # else memory would be tested twice
    return django_settings.REDIS_URL


@pytest.fixture(scope="module")
def in_redis(redis_url):
    """Budgets that all processes share."""
    with closing(SharedBudgets(redis_url)) as keeper:
        yield keeper


@pytest.fixture
def account():
    """Whose budgets nobody else knows."""
    return new_account()


LONG_AGO = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="session")
def running_quiet_github():
    """Thirty repositories with pull requests, and many without; nobody changes them."""
    with SandboxServer(synthetic=["acme:r*30:14", "acme:bare*250:0"], now=LONG_AGO) as github:
        yield github


@pytest.fixture
def quiet_github(running_quiet_github, settings):
    running_quiet_github.faults.clear()
    running_quiet_github.limits.preset(remaining=5000, reset_in=3600)
    running_quiet_github.stats.reset()
    settings.GITHUB_API_URL = running_quiet_github.url
    return running_quiet_github


@pytest.fixture
def busy_github(settings):
    """Four small repositories of one organisation, to be changed."""
    with SandboxServer(synthetic=["acme:r*4:12"], now=LONG_AGO) as github:
        settings.GITHUB_API_URL = github.url
        yield github
