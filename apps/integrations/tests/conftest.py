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
from apps.integrations.models import GitHubIntegration, TrackedRepository
from apps.integrations.services import github_sync
from apps.integrations.services.budgets.shared import SharedBudgets
from apps.integrations.services.github_sync.engine import Ended
from apps.integrations.tests.budget_support import new_account
from apps.integrations.tests.failure_support import NOW, PULLS, REPO, sync
from apps.integrations.tests.sync_support import fresh, rows_of, tracked_at
from apps.teams.factories import MembershipFactory
from apps.teams.models import Membership
from apps.users.factories import UserFactory
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


def _at_rest(github, settings) -> SandboxServer:
    """As no test had it before: nothing breaks, the hour has just begun, nothing was counted."""
    github.faults.clear()
    github.limits.preset(remaining=5000, reset_in=3600)
    github.stats.reset()
    settings.GITHUB_API_URL = github.url
    return github


@pytest.fixture(scope="session")
def running_quiet_github():
    """Thirty repositories with pull requests, and many without; nobody changes them."""
    with SandboxServer(synthetic=["acme:r*30:14", "acme:bare*250:0"], now=LONG_AGO) as github:
        yield github


@pytest.fixture
def quiet_github(running_quiet_github, settings):
    return _at_rest(running_quiet_github, settings)


@pytest.fixture(scope="module")
def running_shop_github():
    """One repository of sixty pull requests; nobody changes them."""
    with SandboxServer(synthetic=["acme:shop:60:7"], now=LONG_AGO) as github:
        yield github


@pytest.fixture
def shop_github(running_shop_github, settings):
    return _at_rest(running_shop_github, settings)


@pytest.fixture
def busy_github(settings):
    """Four small repositories of one organisation, to be changed."""
    with SandboxServer(synthetic=["acme:r*4:12"], now=LONG_AGO) as github:
        settings.GITHUB_API_URL = github.url
        yield github


@pytest.fixture
def silent_github(settings):
    """One repository of forty pull requests, to be changed without a word to us."""
    with SandboxServer(synthetic=["acme:shop:40:7"], now=LONG_AGO) as github:
        settings.GITHUB_API_URL = github.url
        yield github


@pytest.fixture
def synced_shop(silent_github, team) -> TrackedRepository:
    """That repository with three deployments, its full history synced."""
    for state in ("SUCCESS", "FAILURE", "SUCCESS"):
        silent_github.mutations.apply({"repo": "acme/shop", "action": "deploy", "state": state})
    tracked = tracked_at(silent_github, team, "acme/shop")
    assert github_sync.sync_repository_history(tracked, None).ended == Ended.FINISHED
    return fresh(tracked)


@pytest.fixture
def fragile_github(settings):
    """One small repository, to be changed and broken."""
    with SandboxServer(synthetic=[f"{REPO.replace('/', ':')}:{PULLS}:7"], now=NOW) as github:
        settings.GITHUB_API_URL = settings.GITHUB_WEB_URL = github.url
        yield github


@pytest.fixture
def fragile_shop(fragile_github, team) -> TrackedRepository:
    """That repository, not synced yet, of a team with an admin who is written to."""
    MembershipFactory.create(team=team, user=UserFactory.create(email="admin@example.com"), role="admin")
    return tracked_at(fragile_github, team, REPO)


@pytest.fixture
def twin(fragile_github, fragile_shop, other_team):
    """Another team's copy of the same repository, synced without any fault: what ought to be stored."""

    def synced():
        fragile_github.faults.clear()
        copy = tracked_at(fragile_github, other_team, REPO)
        assert sync(copy).ended == Ended.FINISHED
        return rows_of(other_team)

    return synced


@pytest.fixture
def public_github(settings, tmp_path):
    """One public repository of sixty pull requests and three deployments, to be changed; caches go to `tmp_path`."""
    with SandboxServer(synthetic=["acme:shop:60:7"]) as github:
        settings.GITHUB_API_URL = settings.GITHUB_WEB_URL = github.url
        settings.GITHUB_SEEDING_TOKENS = ["sandbox-token"]
        settings.GITHUB_BACKOFF = 0.0
        settings.VAR_DIR = tmp_path
        for state in ("SUCCESS", "FAILURE", "SUCCESS"):
            github.mutations.apply({"repo": "acme/shop", "action": "deploy", "state": state})
        yield github
