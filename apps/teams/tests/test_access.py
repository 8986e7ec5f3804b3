"""What the decorators do for a view; who may open which URL is in tests/test_tenancy.py."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template import engines
from django.template.response import TemplateResponse
from django.test import RequestFactory
from pytest_django.fixtures import DjangoAssertNumQueries

from apps.metrics.factories import RepositoryFactory
from apps.metrics.models import Repository
from apps.teams.access import LAST_TEAM, signed_in, team_admin, team_admin_unscoped, team_member, to_login
from apps.teams.factories import MembershipFactory
from apps.teams.models import Membership, Team
from apps.teams.scope import current_team_id
from apps.users.factories import UserFactory
from apps.users.models import User


def request_of(user: User | AnonymousUser, path: str = "/a/x/?page=2", **headers: str) -> HttpRequest:
    request = RequestFactory().get(path, headers=headers)
    request.user, request.session = user, {}
    return request


def page(request: HttpRequest, team: Team) -> HttpResponse:
    return HttpResponse(f"{team.slug} {current_team_id() == team.pk}")


@pytest.fixture
def member(team: Team) -> Membership:
    return MembershipFactory.create(team=team)


@pytest.fixture
def admin(team: Team) -> Membership:
    return MembershipFactory.create(team=team, role=Membership.Role.ADMIN)


@pytest.mark.django_db
def test_a_view_gets_the_team_and_runs_in_its_scope(team: Team, member: Membership) -> None:
    request = request_of(member.user)
    response = team_member(page)(request, team_slug=team.slug)
    assert response.content == f"{team.slug} True".encode()
    assert (request.team, request.membership) == (team, member)
    assert request.session == {LAST_TEAM: team.pk}
    assert current_team_id() is None


@pytest.mark.django_db
def test_a_template_that_is_rendered_late_is_rendered_in_the_scope(team: Team, member: Membership) -> None:
    RepositoryFactory.create(team=team, full_name="acme/shop")

    def late(request: HttpRequest, team: Team) -> TemplateResponse:
        template = engines["django"].from_string("{{ rows.get.full_name }}")
        return TemplateResponse(request, template, {"rows": Repository.objects.all()})

    response = team_member(late)(request_of(member.user), team_slug=team.slug)
    assert response.content == b"acme/shop"


@pytest.mark.django_db
def test_an_unscoped_view_enters_the_scope_itself(team: Team, admin: Membership) -> None:
    response = team_admin_unscoped(page)(request_of(admin.user), team_slug=team.slug)
    assert response.content == f"{team.slug} False".encode()


@pytest.mark.django_db
@pytest.mark.parametrize("guard", [team_admin, team_admin_unscoped])
def test_a_member_is_no_admin(team: Team, member: Membership, guard: object) -> None:
    with pytest.raises(PermissionDenied):
        guard(page)(request_of(member.user), team_slug=team.slug)


@pytest.mark.django_db
@pytest.mark.parametrize("guard", [team_member, team_admin, team_admin_unscoped])
def test_an_outsider_finds_no_team(team: Team, guard: object) -> None:
    with pytest.raises(Http404):
        guard(page)(request_of(UserFactory.create()), team_slug=team.slug)


@pytest.mark.django_db
def test_to_be_let_in_costs_one_query_and_the_scope(
    team: Team, member: Membership, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    request = request_of(member.user)
    with django_assert_num_queries(1 + 4):  # the membership with its team; savepoint, set, restore, release
        team_member(page)(request, team_slug=team.slug)


def test_the_login_leads_back_to_the_page() -> None:
    response = signed_in(page)(request_of(AnonymousUser()))
    assert response.headers["Location"] == "/accounts/login/?next=/a/x/%3Fpage%3D2"


@pytest.mark.parametrize(
    ("current", "back"),
    [
        ("http://testserver/a/x/pull-requests/?page=2#row", "/a/x/pull-requests/%3Fpage%3D2"),
        ("http://elsewhere.example/a/x/", "/"),
        ("", "/"),
    ],
)
def test_a_fragment_leads_the_window_to_the_login(current: str, back: str) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": current}
    response = to_login(request_of(AnonymousUser(), **headers))
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["HX-Redirect"] == f"/accounts/login/?next={back}"
    assert response.headers["Vary"] == "HX-Request"
