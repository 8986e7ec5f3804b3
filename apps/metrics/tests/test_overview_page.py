"""The overview as people see it."""

from datetime import UTC, datetime

import pytest
from django.urls import reverse

from apps.metrics.factories import PRReviewFactory, RepositoryFactory, TeamMemberFactory
from apps.metrics.tests.pages import ALWAYS, MARCH, NOW, at, client_of, merged, outsider, statements_of
from apps.teams.models import Membership
from apps.teams.scope import team_scope

pytestmark = pytest.mark.django_db


class TestPage:
    def url(self, team, query=MARCH):
        return f"{reverse('metrics:overview', args=[team.slug])}?{query}"

    def test_a_member_sees_the_numbers_and_an_outsider_sees_nothing(self, team):
        with team_scope(team.pk):
            api = RepositoryFactory.create(full_name="acme/api", covered_from=ALWAYS, synced_to=NOW)
            for hours in (1, 2, 3, 4, 10):
                merged(at(10), repository=api, pickup=hours)
        page = client_of(team).get(self.url(team))
        assert page.status_code == 200
        text = page.content.decode()
        assert '<p class="figure-value">3.0<small>h</small></p>' in text
        assert "<span>p75 <b>4.0 h</b></span> <span>p90 <b>7.6 h</b></span> <span>n <b>5</b></span>" in text
        assert outsider().get(self.url(team)).status_code == 404

    def test_a_week_that_no_repository_covers_is_hatched_and_one_that_some_cover_is_pale(self, team):
        with team_scope(team.pk):
            api = RepositoryFactory.create(full_name="acme/api", covered_from=datetime(2026, 3, 9, tzinfo=UTC))
            RepositoryFactory.create(full_name="acme/late", covered_from=datetime(2026, 3, 16, tzinfo=UTC))
            for day in (3, 10, 17):  # the first is known only because it was updated later
                for _ in range(5):
                    merged(at(day), repository=api, pickup=3)
        text = " ".join(client_of(team).get(self.url(team)).content.decode().split())
        assert text.count('class="week is-uncovered"') == 1
        assert text.count('class="week is-running"') == 1
        assert text.count('class="week"') == 1
        assert text.count('<text x="12" y="161">Not covered</text>') == 1
        assert text.count('<text x="12" y="161">Without late</text>') == 1
        assert '2 Mar 2026</a> <span class="muted">not covered</span>' in text
        assert '9 Mar 2026</a> <span class="muted">without late</span>' in text
        # eight weeks of the trend lie before what is covered, and one of them has a bar under its hatch
        assert text.count('class="hatch"') == 9

    def test_every_number_opens_exactly_its_pull_requests(self, team):
        with team_scope(team.pk):
            api = RepositoryFactory.create(full_name="acme/api", covered_from=ALWAYS)
            merged(at(10), repository=api)
            merged(at(10), repository=api, first_review_at=None)
            merged(at(10, month=2), repository=api)
            merged(at(10), repository=api, author=TeamMemberFactory.create(is_bot=True))
        client = client_of(team)
        context = client.get(self.url(team)).context
        counts = [client.get(figure.url).context["list"].count for figure in context["figures"]]
        assert counts == [2, 1, 2, 2]
        assert client.get(context["unreviewed_url"]).context["list"].count == 1
        (week_url,) = [url for column, url in context["chart_weeks"] if column.week.merged and "03-09" in url]
        assert client.get(week_url).context["list"].count == 2

    @pytest.mark.parametrize(
        "query",
        [
            "from=nonsense&to=9999-99-99",
            "days=1e9&repository=%00&label=%00&bots=x",
            "from=2026-03-20&to=2026-03-01",
            "repository=" + "x" * 5000,
        ],
    )
    def test_a_bad_address_is_put_right_and_said(self, team, query):
        with team_scope(team.pk):
            RepositoryFactory.create(covered_from=ALWAYS)
        page = client_of(team).get(self.url(team, query))
        assert page.status_code == 200
        assert 'class="message warning"' in page.content.decode()

    def test_htmx_gets_the_part_that_it_names_and_caches_keep_them_apart(self, team):
        with team_scope(team.pk):
            RepositoryFactory.create(covered_from=ALWAYS)
        client = client_of(team)
        part = client.get(self.url(team), headers={"HX-Request": "true", "HX-Target": "numbers"})
        text = part.content.decode()
        assert text.lstrip().startswith('<div class="numbers" id="numbers"')
        assert 'hx-swap-oob="true"' in text
        assert "HX-Push-Url" not in part  # it asks by itself: the address stays
        assert "<html" not in text
        assert {"HX-Request", "HX-Target"} <= {name.strip() for name in part["Vary"].split(",")}
        assert "<html" in client.get(self.url(team), headers={"HX-Request": "true"}).content.decode()

    def test_without_a_repository_it_says_what_to_do(self, team):
        admin = client_of(team, Membership.Role.ADMIN).get(self.url(team)).content.decode()
        assert "Connect GitHub to see how your pull requests flow" in admin
        assert "An admin of the team connects GitHub" in client_of(team).get(self.url(team)).content.decode()

    def test_before_the_first_pull_request_it_asks_again_by_itself(self, team):
        with team_scope(team.pk):
            RepositoryFactory.create()
        text = client_of(team).get(self.url(team)).content.decode()
        assert "The first pull requests appear in seconds" in text
        assert 'hx-trigger="every 1s"' in text

    def test_numbers_are_there_while_the_first_sync_runs(self, team):
        with team_scope(team.pk):
            api = RepositoryFactory.create(full_name="acme/api")
            merged(at(10), repository=api, pickup=3)
        text = client_of(team).get(self.url(team)).content.decode()
        assert '<p class="figure-value">3.0<small>h</small></p>' in text
        assert "is not done. The numbers count what is stored so far: 1 pull request." in text
        assert 'hx-trigger="every 5s"' in text

    def test_when_all_is_synced_it_asks_no_more(self, team):
        with team_scope(team.pk):
            RepositoryFactory.create(covered_from=ALWAYS, synced_to=NOW)
        assert "hx-trigger" not in client_of(team).get(self.url(team)).content.decode()

    def test_its_price_does_not_grow_with_the_rows(self, team):
        client = client_of(team)
        client.get(self.url(team))  # the first request of a session costs more
        prices = []
        for count in (1, 3):
            with team_scope(team.pk):
                for _ in range(count):
                    repository = RepositoryFactory.create(covered_from=ALWAYS)
                    for _ in range(count):
                        pull_request = merged(at(10), repository=repository)
                        PRReviewFactory.create(pull_request=pull_request, submitted_at=at(9))
            prices.append(statements_of(lambda: client.get(self.url(team))))
        assert prices[0] == prices[1]

    def test_a_name_from_the_source_stays_text(self, team):
        with team_scope(team.pk):
            api = RepositoryFactory.create(full_name="acme/<b>api", covered_from=ALWAYS)
            merged(at(10), repository=api)
        text = client_of(team).get(self.url(team)).content.decode()
        assert "<b>api" not in text
