"""What surrounds every page, and the rules that every template keeps."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from pytest_django.fixtures import DjangoAssertNumQueries

from apps.integrations.models import GitHubIntegration, TrackedRepository
from apps.metrics.factories import RepositoryFactory
from apps.teams.factories import MembershipFactory
from apps.teams.models import Membership, Team
from apps.teams.scope import team_scope

ROOT = Path(settings.BASE_DIR)
# Mail readers know no style sheets, and no policy of ours reaches them.
PAGES = [path for path in (ROOT / "templates").rglob("*.html") if not re.search(r"email(_|/)", path.as_posix())]


def page_of(team: Team, role: str, path: str = "") -> str:
    client = Client()
    client.force_login(MembershipFactory.create(team=team, role=role).user)
    return client.get(f"/a/{team.slug}/{path}").content.decode()


class Links(HTMLParser):
    """The links of the first navigation: (address, is it the current page, text)."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, bool, str]] = []
        self.inside = self.done = self.in_link = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "nav" and given.get("aria-label") == "Pages":
            self.inside = not self.done
        elif tag == "a" and self.inside:
            self.found.append((given["href"] or "", "aria-current" in given, ""))
            self.in_link = True

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self.in_link = False
        if tag == "nav" and self.inside:
            self.inside, self.done = False, True

    def handle_data(self, data: str) -> None:
        if self.in_link:
            address, current, text = self.found[-1]
            self.found[-1] = (address, current, text + data.strip())


def links_of(page: str) -> list[tuple[str, bool, str]]:
    parser = Links()
    parser.feed(page)
    return parser.found


@pytest.mark.django_db
def test_the_navigation_has_the_pages_that_exist_and_marks_where_one_is(team: Team) -> None:
    with team_scope(team.pk):
        integration = GitHubIntegration.objects.create(organization_id=1, organization_slug="acme")
        for active in (True, True, False):
            TrackedRepository.objects.create(
                integration=integration, repository=RepositoryFactory.create(), is_active=active
            )
    found = {text: (address, current) for address, current, text in links_of(page_of(team, "admin", "settings/"))}
    assert found["Overview"] == (f"/a/{team.slug}/", False)
    assert found["Pull requests"] == (f"/a/{team.slug}/pull-requests/", False)
    assert found["Repositories2"] == (f"/a/{team.slug}/integrations/github/repos/", False)
    assert found["Settings"] == (f"/a/{team.slug}/settings/", True)


@pytest.mark.django_db
def test_a_member_is_not_shown_what_is_for_admins(team: Team) -> None:
    assert "Settings" not in [text for _, _, text in links_of(page_of(team, "member", "pull-requests/"))]


@pytest.mark.django_db
def test_the_frame_costs_the_same_for_one_team_and_for_many(
    team: Team, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    membership = MembershipFactory.create(team=team, role=Membership.Role.ADMIN)
    client = Client()
    client.force_login(membership.user)
    client.get(f"/a/{team.slug}/settings/")  # the session notes the team
    for _ in range(3):
        # Session and login, membership, the scope's four, tracked repositories, the login's teams.
        with django_assert_num_queries(2 + 1 + 4 + 1 + 1):
            client.get(f"/a/{team.slug}/settings/")
        MembershipFactory.create(user=membership.user)


@pytest.mark.django_db
@pytest.mark.parametrize(("path", "status"), [("/nothing/here/", 404), ("/a/none/", 302)])
def test_a_policy_without_inline_code_is_on_every_answer(client: Client, path: str, status: int) -> None:
    response = client.get(path)
    assert response.status_code == status
    policy = response.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy


@pytest.mark.django_db
def test_a_page_that_does_not_exist_says_what_to_do(client: Client) -> None:
    assert "There is nothing here" in client.get("/nothing/here/").content.decode()


@pytest.mark.django_db
def test_a_form_that_is_too_old_says_what_to_do() -> None:
    response = Client(enforce_csrf_checks=True).post("/accounts/login/", {"login": "x"})
    assert response.status_code == 403
    assert "This form is too old" in response.content.decode()


@pytest.mark.django_db
def test_a_member_is_told_that_a_page_is_for_admins(team: Team) -> None:
    assert "This is for admins of the team" in page_of(team, "member", "settings/")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT / "templates").as_posix())
def test_no_template_has_inline_styles_or_scripts(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"\sstyle=|<style|\son[a-z]+=|javascript:|hx-on", text)
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)


def test_every_icon_that_a_template_names_is_in_the_sprite() -> None:
    sprite = (ROOT / "static" / "icons.svg").read_text()
    known = set(re.findall(r'<symbol id="i-([\w-]+)"', sprite))
    named = {name for path in PAGES for name in re.findall(r'{% icon "([\w-]+)"', path.read_text())}
    assert named - known == set()


def test_every_symbol_is_one_of_a_kind() -> None:
    names = re.findall(r'<symbol id="([\w-]+)"', (ROOT / "static" / "icons.svg").read_text())
    assert sorted(set(names)) == names
