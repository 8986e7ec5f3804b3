"""Both walls, from outside: who may open which URL, and what SQL of any kind finds of another team."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import Error, connection, transaction
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from pytest_django.fixtures import Settings

from apps.integrations.models import AvailableRepository, GitHubIntegration, SyncRun, TrackedRepository
from apps.metrics.factories import PRReviewFactory, PullRequestFactory, RepositoryFactory
from apps.metrics.models import PRReview, PullRequest, Repository
from apps.teams.access import team_member
from apps.teams.factories import MembershipFactory
from apps.teams.models import AuditEvent, Membership, Team
from apps.teams.scope import NoTeamScope, current_team_id, scoped_chunks, team_scope
from apps.teams.services import record_event
from apps.users.models import User

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

# Who may open what. A URL that is not here fails the test: whoever adds one says here whom it is for.
PUBLIC, SIGNED_IN, SIGNED, MEMBER, ADMIN = "public", "signed in", "by a secret", "member", "admin"
WHO_MAY = {
    "home": PUBLIC,
    "healthz": PUBLIC,
    "readyz": PUBLIC,
    "prometheus": SIGNED,
    "teams:create": SIGNED_IN,
    "teams:settings": ADMIN,
    "integrations:oauth_callback": SIGNED_IN,
    "integrations:github_webhook": SIGNED,
    "integrations:connect": ADMIN,
    "integrations:oauth_start": ADMIN,
    "integrations:connect_token": ADMIN,
    "integrations:choose": ADMIN,
    "integrations:disconnect": ADMIN,
    "integrations:refresh": ADMIN,
    "integrations:retry": ADMIN,
    "integrations:rotate_secret": ADMIN,
    "integrations:repositories": MEMBER,
    "integrations:discovery_progress": MEMBER,
    "integrations:sync_all": ADMIN,
    "integrations:github_repo_toggle": ADMIN,
    "integrations:github_repo_sync": ADMIN,
    "integrations:github_repo_sync_progress": MEMBER,
    "integrations:github_repo_depth": ADMIN,
    "integrations:github_repo_webhook": ADMIN,
    "integrations:github_repo_pause": ADMIN,
    "integrations:github_repo_resume": ADMIN,
    "integrations:sync_log": MEMBER,
    "integrations:sync_log_csv": MEMBER,
    "integrations:sync_run": MEMBER,
    "integrations:sync_run_cancel": ADMIN,
    "integrations:sync_run_retry": ADMIN,
    "metrics:overview": MEMBER,
    "metrics:pull_requests": MEMBER,
    "metrics:pull_request": MEMBER,
}
# allauth's own, which know no team. Its older paths of some of these are redirects without a name.
ACCOUNT = ("account_", "socialaccount_", "github_login", "github_callback")


def named_urls(resolver: URLResolver, namespace: str = "", path: str = "") -> Iterator[tuple[str, str]]:
    """(name, path) of everything in the URLconf."""
    for entry in resolver.url_patterns:
        where = path + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield namespace + (entry.name or ""), where
        else:
            yield from named_urls(entry, namespace + (f"{entry.namespace}:" if entry.namespace else ""), where)


URLS = [(name, path) for name, path in named_urls(get_resolver()) if not path.startswith("accounts/")]
TEAM_URLS = [name for name, path in URLS if "<slug:team_slug>" in path]


def test_every_url_says_who_may_open_it() -> None:
    assert {name for name, _ in URLS} == WHO_MAY.keys()
    others = {name for name, path in named_urls(get_resolver()) if path.startswith("accounts/") and name}
    assert [name for name in others if not name.startswith(ACCOUNT)] == []


def test_every_url_for_members_names_its_team() -> None:
    assert sorted(TEAM_URLS) == sorted(name for name, who in WHO_MAY.items() if who in (MEMBER, ADMIN))


@dataclass
class World:
    """A team with one of everything that URLs name, its people, and somebody who is the admin of another team."""

    team: Team
    people: dict[str, User]
    arguments: dict[str, object]
    clients: dict[str, Client] = field(default_factory=dict)

    def url(self, name: str, slug: str | None = None) -> str:
        arguments = self.arguments | {"team_slug": slug or self.team.slug}
        wanted = re.findall(r"<(?:\w+:)?(\w+)>", dict(URLS)[name])
        return reverse(name, kwargs={key: arguments[key] for key in wanted})

    def answer(self, who: str, method: str, url: str) -> HttpResponse:
        client = self.clients.get(who)
        if client is None:
            client = self.clients[who] = Client()
            if who != "anonymous":
                client.force_login(self.people[who])
        return client.generic(method, url)


@pytest.fixture
def world(team: Team, other_team: Team) -> World:
    people = {
        "member": MembershipFactory.create(team=team).user,
        "admin": MembershipFactory.create(team=team, role=Membership.Role.ADMIN).user,
        "outsider": MembershipFactory.create(team=other_team).user,
        "admin of another team": MembershipFactory.create(team=other_team, role=Membership.Role.ADMIN).user,
    }
    with team_scope(team.pk):
        pr = PullRequestFactory.create(repository__full_name="acme/shop")
        integration = GitHubIntegration.objects.create(organization_id=1, organization_slug="acme")
        AvailableRepository.objects.create(
            integration=integration,
            github_repo_id=pr.repository.github_repo_id,
            full_name="acme/shop",
            seen_at=datetime(2026, 3, 2, tzinfo=UTC),
        )
        tracked = TrackedRepository.objects.create(integration=integration, repository=pr.repository)
        run = SyncRun.objects.create(tracked_repository=tracked, kind=SyncRun.Kind.INITIAL)
    arguments = {
        "repo_id": pr.repository.github_repo_id,
        "integration_id": integration.pk,
        "run_id": run.pk,
        "owner": "acme",
        "name": "shop",
        "number": pr.number,
    }
    return World(team, people, arguments)


@pytest.mark.django_db
@pytest.mark.parametrize("name", TEAM_URLS)
def test_it_sends_strangers_to_the_login(world: World, name: str) -> None:
    url = world.url(name)
    answers = {method: world.answer("anonymous", method, url) for method in METHODS}
    seen = {(a.status_code, a.headers.get("Location", "").split("?")[0]) for a in answers.values()}
    assert seen <= {(302, "/accounts/login/"), (405, "")}
    assert (302, "/accounts/login/") in seen


@pytest.mark.django_db
@pytest.mark.parametrize("name", TEAM_URLS)
@pytest.mark.parametrize("who", ["outsider", "admin of another team"])
def test_a_team_of_others_is_like_one_that_does_not_exist(world: World, name: str, who: str) -> None:
    theirs, nobodys = world.url(name), world.url(name, slug="no-such-team")
    for method in METHODS:
        answer, expected = world.answer(who, method, theirs), world.answer(who, method, nobodys)
        assert answer.status_code in (404, 405), method
        assert answer.status_code == expected.status_code
        assert without_secrets(answer) == without_secrets(expected)
        assert world.team.name.encode() not in answer.content


def without_secrets(response: HttpResponse) -> bytes:
    """The body without what differs from request to request."""
    return re.sub(rb'(name="csrf(?:middlewaretoken|-token)" (?:value|content))="\w+"', rb"\1", response.content)


@pytest.mark.django_db
@pytest.mark.parametrize("name", [name for name in TEAM_URLS if WHO_MAY.get(name) == ADMIN])
def test_a_member_is_refused_what_is_for_admins(world: World, name: str) -> None:
    answers = {method: world.answer("member", method, world.url(name)).status_code for method in METHODS}
    assert set(answers.values()) <= {403, 405}
    assert 403 in answers.values()


@pytest.mark.django_db
@pytest.mark.parametrize("name", [name for name in TEAM_URLS if WHO_MAY.get(name) == MEMBER])
@pytest.mark.parametrize("who", ["member", "admin"])
def test_a_member_sees_the_pages_of_the_team(world: World, name: str, who: str) -> None:
    answers = {method: world.answer(who, method, world.url(name)).status_code for method in METHODS}
    assert answers["GET"] == 200
    assert set(answers.values()) <= {200, 405}


@pytest.mark.django_db
@pytest.mark.parametrize("name", [name for name in TEAM_URLS if WHO_MAY.get(name) == ADMIN])
def test_an_admin_is_let_in(world: World, name: str) -> None:
    answers = {method: world.answer("admin", method, world.url(name)).status_code for method in ("GET", "HEAD")}
    assert set(answers.values()) <= {200, 302, 405}


@pytest.mark.django_db
@pytest.mark.parametrize("name", [name for name, who in WHO_MAY.items() if who == SIGNED_IN])
def test_a_page_without_a_team_asks_for_a_login(name: str) -> None:
    answers = [Client().generic(method, reverse(name)) for method in METHODS]
    assert {answer.status_code for answer in answers} <= {302, 405}
    assert {answer.url.split("?")[0] for answer in answers if answer.status_code == 302} == {"/accounts/login/"}


@pytest.mark.django_db
@pytest.mark.parametrize("method", METHODS)
def test_a_webhook_without_a_signature_is_refused(method: str) -> None:
    answer = Client().generic(method, reverse("integrations:github_webhook", args=["nobody-knows-this"]), b"{}")
    assert 400 <= answer.status_code < 500


@pytest.mark.parametrize("method", METHODS)
def test_the_measurements_want_a_token(method: str, settings: Settings) -> None:
    settings.METRICS_TOKEN = "let-me-in"
    assert Client().generic(method, reverse("prometheus")).status_code in (401, 405)


@pytest.mark.django_db
def test_an_expired_session_leads_the_window_to_the_login(world: World) -> None:
    page = world.url("metrics:pull_requests") + "?state=open"
    headers = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{page}"}
    answer = Client().get(world.url("metrics:pull_requests"), headers=headers)
    assert answer.status_code == 200
    assert answer.content == b""
    expected = f"/accounts/login/?next=/a/{world.team.slug}/pull-requests/%3Fstate%3Dopen"
    assert answer.headers["HX-Redirect"] == expected


@pytest.mark.django_db
def test_the_way_back_after_the_login_never_leads_to_another_site(world: World) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "https://evil.example/a/"}
    answer = Client().get(world.url("metrics:overview"), headers=headers)
    assert answer.headers["HX-Redirect"] == "/accounts/login/?next=/"


# ── SQL ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Theirs:
    """What the other team has, with primary keys that somebody may have guessed."""

    review: PRReview
    pull_request: PullRequest
    repository: Repository


@pytest.fixture
def theirs(other_team: Team) -> Theirs:
    review = PRReviewFactory.create(team=other_team)
    return Theirs(review, review.pull_request, review.pull_request.repository)


def rows(statement: str, *parameters: object) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []


@pytest.mark.django_db
def test_raw_sql_sees_one_team(team: Team, theirs: Theirs) -> None:
    with team_scope(team.pk):
        mine = PullRequestFactory.create()
        assert rows("SELECT id FROM metrics_pullrequest") == [(mine.pk,)]
        assert rows("SELECT id FROM metrics_pullrequest WHERE id = %s", theirs.pull_request.pk) == []
        assert (
            rows("UPDATE metrics_pullrequest SET title = 'x' WHERE id = %s RETURNING id", theirs.pull_request.pk) == []
        )
        assert rows("DELETE FROM metrics_prreview RETURNING id") == []
    assert rows("SELECT count(*) FROM metrics_pullrequest") == [(0,)]  # no team: nothing


@pytest.mark.django_db
def test_a_join_and_a_count_see_one_team(team: Team, theirs: Theirs) -> None:
    with team_scope(team.pk):
        PRReviewFactory.create()
        joined = "SELECT count(*) FROM metrics_prreview r JOIN metrics_pullrequest p ON p.id = r.pull_request_id"
        assert rows(joined) == [(1,)]
        assert PullRequest.objects.aggregate(n=Count("reviews"))["n"] == 1
        assert PRReview.objects.filter(pull_request__repository=theirs.repository.pk).count() == 0
        assert PullRequest.objects.filter(reviews__pk=theirs.review.pk).count() == 0


@pytest.mark.django_db
def test_a_forward_key_does_not_lead_out(team: Team, theirs: Theirs) -> None:
    with team_scope(team.pk):
        stray = PRReview(pull_request_id=theirs.pull_request.pk)
        with pytest.raises(PullRequest.DoesNotExist):
            _ = stray.pull_request


@pytest.mark.django_db
def test_a_child_of_a_foreign_parent_is_refused(team: Team, theirs: Theirs) -> None:
    with team_scope(team.pk):
        mine = PRReviewFactory.create()
        with pytest.raises(Error), transaction.atomic():
            rows("UPDATE metrics_prreview SET pull_request_id = %s WHERE id = %s", theirs.pull_request.pk, mine.pk)
        with pytest.raises(Error), transaction.atomic():
            PullRequestFactory.create(repository_id=theirs.repository.pk, repository=None, github_repo="x/y", url="x")


@pytest.mark.django_db
def test_a_row_cannot_be_written_into_another_team(team: Team, other_team: Team, theirs: Theirs) -> None:
    insert = (
        "INSERT INTO teams_auditevent (team_id, action, actor_name, details, created_at)"
        " VALUES (%s, 'x', '', '{}', now())"
    )
    with team_scope(team.pk):
        rows(insert, team.pk)
        with pytest.raises(Error), transaction.atomic():
            rows(insert, other_team.pk)
        with pytest.raises(Error), transaction.atomic():
            rows("UPDATE teams_auditevent SET team_id = %s", other_team.pk)
    with pytest.raises(Error), transaction.atomic():
        rows(insert, team.pk)  # without a team nothing can be written either


@pytest.mark.django_db
def test_the_audit_log_is_behind_the_walls(team: Team, other_team: Team) -> None:
    record_event(other_team, None, "team.changed")
    with team_scope(team.pk):
        assert AuditEvent.objects.count() == 0
    with pytest.raises(NoTeamScope):
        AuditEvent.objects.count()


# ── Leaving the scope ────────────────────────────────────────────────────────────────────────────────────────────────


def asked(view: Callable[..., HttpResponse], world: World) -> HttpResponse:
    request = RequestFactory().get("/")
    request.user = world.people["member"]
    request.session = {}
    return team_member(view)(request, team_slug=world.team.slug)


@pytest.mark.django_db
def test_an_exception_leaves_the_scope(world: World) -> None:
    def broken(request: HttpRequest, team: Team) -> HttpResponse:
        rows("SELECT 1/0")
        raise AssertionError

    with pytest.raises(Error), transaction.atomic():
        asked(broken, world)
    assert current_team_id() is None
    assert rows("SELECT count(*) FROM metrics_pullrequest") == [(0,)]


@pytest.mark.django_db
def test_a_streamed_answer_holds_no_scope_between_its_chunks(world: World) -> None:
    RepositoryFactory.create_batch(2, team=world.team)
    teams_between: list[int | None] = []

    def export(request: HttpRequest, team: Team) -> StreamingHttpResponse:
        def lines() -> Iterator[str]:
            for chunk in scoped_chunks(team.pk, Repository.objects.all(), 1):
                teams_between.append(current_team_id())
                yield from (repository.full_name + "\n" for repository in chunk)

        return StreamingHttpResponse(lines())

    body = b"".join(asked(export, world).streaming_content)
    assert body.count(b"\n") == 3
    assert teams_between == [None, None, None]


@pytest.mark.django_db
def test_a_queryset_that_left_its_view_finds_nothing(world: World) -> None:
    def careless(request: HttpRequest, team: Team) -> StreamingHttpResponse:
        def lines() -> Iterator[str]:
            for pr in PullRequest.objects.all():
                yield pr.title

        return StreamingHttpResponse(lines())

    with pytest.raises(NoTeamScope):
        list(asked(careless, world).streaming_content)


@pytest.mark.django_db
def test_nobody_is_a_member_without_a_login(world: World) -> None:
    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    assert team_member(lambda request, team: HttpResponse("secret"))(request, team_slug=world.team.slug).content == b""
