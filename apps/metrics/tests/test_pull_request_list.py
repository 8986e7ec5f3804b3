from datetime import UTC, datetime

import pytest
from django.http import QueryDict
from django.urls import reverse

from apps.metrics.factories import (
    LabelFactory,
    LinkedIssueFactory,
    MilestoneFactory,
    PRReviewFactory,
    PullRequestAssigneeFactory,
    PullRequestFactory,
    PullRequestLabelFactory,
    RepositoryFactory,
    TeamMemberFactory,
)
from apps.metrics.queries.pull_request_filters import SORTS, filters_from
from apps.metrics.queries.pull_request_list import filter_options, pull_request_list
from apps.metrics.queries.trust import trust_of_team
from apps.metrics.tests.pages import ALWAYS, at, client_of, merged, outsider, statements_of
from apps.teams.scope import team_scope

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(scope):
    return RepositoryFactory.create(full_name="acme/api", covered_from=ALWAYS)


def filters_of(query, time_zone="UTC"):
    return filters_from(QueryDict(query), time_zone=time_zone, trust=trust_of_team())


def listed(query="", **given):
    return pull_request_list(filters_of(query, **given))


def numbers(query="", **given):
    return [row.number for row in listed(query, **given).rows]


class TestFilters:
    def one_of_two(self, query, repository, **fields):
        """The filter lets the one with these fields through, and not the other."""
        number = PullRequestFactory.create(repository=repository, **fields).number
        PullRequestFactory.create(repository=repository)
        return numbers(query) == [number]

    @pytest.mark.parametrize(
        ("query", "fields"),
        [
            ("state=merged", {"merged_at": at(10)}),
            ("state=closed", {"state": "closed"}),
            ("size=XL", {"size": "XL"}),
            ("ci=failure", {"ci_status": "failure"}),
            ("ai=1", {"ai_assisted": True}),
            ("unreviewed=1", {"merged_without_review": True}),
            ("unreviewed=0", {"first_review_at": at(3)}),
            ("rework=1", {"rework_after_approval": True}),
            ("draft=1", {"is_draft": True}),
            ("partial=1", {"is_partial": True}),
            ("q=Ledger", {"title": "Split the ledger writer"}),
            ("q=%23987", {"number": 987}),
            ("q=987", {"number": 987}),
            ("q=100%25", {"title": "Cover 100% of the cases"}),
            ("created_from=2026-03-09&created_to=2026-03-10", {"pr_created_at": at(10, 23)}),
            ("merged_from=2026-03-09&merged_to=2026-03-10", {"merged_at": at(10, 23)}),
        ],
    )
    def test_each_lets_through_what_it_names(self, api, query, fields):
        assert self.one_of_two(query, api, **fields)

    def test_a_number_with_its_sign_is_no_text(self, api):
        PullRequestFactory.create(repository=api, number=1, title="Release 987")
        assert numbers("q=%23987") == []
        assert numbers("q=987") == [1]

    def test_nothing_to_say_about_checks_is_a_choice(self, api):
        PullRequestFactory.create(repository=api, number=1, ci_status="success")
        PullRequestFactory.create(repository=api, number=2)
        assert numbers("ci=none") == [2]

    def test_the_last_day_of_a_range_belongs_to_it_in_the_teams_time(self, api):
        merged(datetime(2026, 3, 10, 23, 30, tzinfo=UTC), repository=api)
        assert len(numbers("merged_to=2026-03-10")) == 1
        assert len(numbers("merged_to=2026-03-10", time_zone="Europe/Berlin")) == 0

    def test_people_are_found_by_login_in_any_case(self, api):
        mira, sam = (TeamMemberFactory.create(login=login) for login in ("Mira", "sam"))
        one = PullRequestFactory.create(repository=api, number=1, author=mira)
        two = PullRequestFactory.create(repository=api, number=2, author=sam)
        PRReviewFactory.create(pull_request=one, reviewer=sam)
        PRReviewFactory.create(pull_request=two, reviewer=mira, gone_at=at(10))
        PullRequestAssigneeFactory.create(pull_request=two, member=mira)
        assert numbers("author=mira") == [1]
        assert numbers("reviewer=SAM") == [1]
        assert numbers("reviewer=mira") == []  # that review is gone
        assert numbers("assignee=MIRA") == [2]
        assert numbers("author=mira&reviewer=sam&assignee=sam") == []

    def test_nobody_of_that_name_is_an_empty_list_and_a_word(self, api):
        PullRequestFactory.create(repository=api)
        found = listed("author=ghostwriter")
        assert (found.count, found.notes) == (0, ("Nobody here is called “ghostwriter”.",))

    def test_deleted_accounts_can_be_asked_for(self, api):
        PullRequestFactory.create(repository=api, number=1, author=None)
        PullRequestFactory.create(repository=api, number=2)
        assert numbers("author=deleted") == [1]

    def test_bots_are_left_out_until_they_are_asked_for(self, api):
        bot = TeamMemberFactory.create(login="renovate[bot]", is_bot=True)
        PullRequestFactory.create(repository=api, number=1, author=bot)
        PullRequestFactory.create(repository=api, number=2)
        assert numbers() == [2]
        assert sorted(numbers("bots=1")) == [1, 2]
        assert numbers("author=renovate[bot]") == [1]

    def test_what_is_left_out_because_bots_wrote_it_is_counted(self, api):
        bot = TeamMemberFactory.create(login="renovate[bot]", is_bot=True)
        for number in (1, 2, 3):
            PullRequestFactory.create(repository=api, number=number, author=bot)
        PullRequestFactory.create(repository=api, number=4, author=bot, state="closed")
        PullRequestFactory.create(repository=api, number=5, author=None)
        PullRequestFactory.create(repository=api, number=6)
        found = listed("state=open")
        assert (found.count, found.by_bots) == (2, 3)
        assert (listed("state=open&bots=1").count, listed("state=open&bots=1").by_bots) == (5, 0)
        assert (listed("author=renovate[bot]").count, listed("author=renovate[bot]").by_bots) == (4, 0)

    def test_a_label_is_one_name_over_all_repositories(self, api):
        web = RepositoryFactory.create(full_name="acme/web")
        for number, repository in ((1, api), (2, web)):
            label = LabelFactory.create(repository=repository, name="bug")
            pull_request = PullRequestFactory.create(repository=repository, number=number)
            PullRequestLabelFactory.create(pull_request=pull_request, label=label)
        PullRequestFactory.create(repository=api, number=3)
        assert sorted(numbers("label=bug")) == [1, 2]
        assert numbers("not_label=bug") == [3]
        assert numbers("label=bug&repository=acme/web") == [2]
        assert sorted(numbers("label=Bug")) == [1, 2]
        assert numbers("not_label=BUG") == [3]

    def test_a_milestone_is_found_by_title_and_so_is_none(self, api):
        milestone = MilestoneFactory.create(repository=api, title="Reliability Q1")
        PullRequestFactory.create(repository=api, number=1, milestone=milestone)
        PullRequestFactory.create(repository=api, number=2)
        assert numbers("milestone=Reliability+Q1") == numbers("milestone=reliability+q1") == [1]
        assert numbers("milestone=none") == [2]

    def test_an_issue_is_found_by_number_and_repository_and_so_is_any_and_none(self, api):
        one, two, _ = (PullRequestFactory.create(repository=api, number=number) for number in (1, 2, 3))
        LinkedIssueFactory.create(pull_request=one, issue_repository="acme/api", issue_number=12)
        LinkedIssueFactory.create(pull_request=two, issue_repository="acme/web", issue_number=12)
        LinkedIssueFactory.create(pull_request=two, issue_number=7, gone_at=at(10))
        assert sorted(numbers("issue=%2312")) == sorted(numbers("issue=12")) == [1, 2]
        assert numbers("issue=acme/web%2312") == numbers("issue=Acme/Web%2312") == [2]
        assert numbers("issue=7") == []
        assert sorted(numbers("issue=any")) == [1, 2]
        assert numbers("issue=none") == [3]

    def test_what_is_no_issue_is_said_and_left_out(self, api):
        PullRequestFactory.create(repository=api, number=1)
        found = listed("issue=soon")
        assert (found.count, found.notes) == (1, ("“soon” is no issue; write #12, owner/name#12, any or none.",))

    def test_those_that_nobody_is_assigned_to_are_found(self, api):
        one, _ = (PullRequestFactory.create(repository=api, number=number) for number in (1, 2))
        PullRequestAssigneeFactory.create(pull_request=one)
        found = listed("assignee=none")
        assert ([row.number for row in found.rows], found.notes) == ([2], ())

    def test_what_is_gone_is_not_listed(self, api):
        PullRequestFactory.create(repository=api, gone_at=at(10))
        PullRequestFactory.create(repository=RepositoryFactory.create(gone_at=at(10)))
        assert listed().count == 0

    @pytest.mark.parametrize(
        "query",
        [
            "state=wedged",
            "size=XXL",
            "ci=maybe",
            "sort=body",
            "page=-1",
            "page=x",
            "merged_from=yesterday",
            "repository=acme/secret",
        ],
    )
    def test_what_means_nothing_is_left_out_and_said(self, api, query):
        PullRequestFactory.create(repository=api)
        found = listed(query)
        assert (found.count, len(found.notes)) == (1, 1)

    def test_any_text_at_all_is_only_text(self, api):
        PullRequestFactory.create(repository=api, title="quote ' and \\ and %s")
        assert listed("q=%27+and+%5C+and+%25s").count == 1
        assert listed("q=%00").count == 1  # nothing is left of it, so nothing is filtered
        assert listed("q=999999999999999999999").count == 0


class TestOrder:
    @pytest.mark.parametrize("key", SORTS)
    def test_it_sorts_both_ways_with_the_unknown_last(self, api, key):
        column = {"size": "additions"}.get(key, SORTS[key][0])
        values = (at(5), at(6), at(7)) if column.endswith("_at") else (1, 2, 3)
        for number, value in zip((1, 2, 3), values, strict=True):
            PullRequestFactory.create(repository=api, number=number, **{column: value})
        can_be_unknown = key not in ("created", "updated", "rounds", "comments")
        if can_be_unknown:
            PullRequestFactory.create(repository=api, number=4, **{column: None})
        last = [4] if can_be_unknown else []
        assert numbers(f"sort={key}") == [1, 2, 3, *last]
        assert numbers(f"sort=-{key}") == [3, 2, 1, *last]

    def test_the_latest_change_comes_first_when_nothing_is_said(self, api):
        for number, day in ((1, 5), (2, 7), (3, 6)):
            PullRequestFactory.create(repository=api, number=number, pr_updated_at=at(day))
        assert numbers() == [2, 3, 1]

    def test_pages_neither_repeat_nor_lose_a_row_among_equals(self, api):
        author = TeamMemberFactory.create()
        for number in range(1, 121):
            PullRequestFactory.create(repository=api, number=number, author=author, pr_updated_at=at(5))
        pages = [listed(f"page={page}") for page in (1, 2, 3)]
        assert [len(page.rows) for page in pages] == [50, 50, 20]
        assert sorted(row.number for page in pages for row in page.rows) == list(range(1, 121))
        assert [(page.first, page.last, page.count) for page in pages] == [
            (1, 50, 120),
            (51, 100, 120),
            (101, 120, 120),
        ]
        assert (pages[0].previous_page, pages[0].next_page, pages[2].next_page) == (None, 2, None)

    def test_a_page_that_is_not_there_is_the_last_one(self, api):
        PullRequestFactory.create(repository=api)
        found = listed("page=9")
        assert (found.page, found.notes) == (1, ("Page 9 does not exist. Shown: the last one.",))


class TestAddress:
    def test_a_choice_survives_its_own_address(self, api):
        query = (
            "repository=acme%2Fapi&q=cache&state=merged&size=XL&author=Mira&label=bug%2Fui&not_label=wip&milestone=Q1"
            "&merged_from=2026-03-01&merged_to=2026-03-31&bots=1&sort=-cycle_time"
        )
        filters = filters_of(query)
        assert filters_of(filters.query()) == filters

    def test_every_chip_takes_one_filter_away(self, api):
        filters = filters_of("repository=acme/api&state=merged&label=bug&page=3")
        assert [(name, value, query) for name, value, query in filters.chosen] == [
            ("Repository", "api", "state=merged&label=bug"),
            ("State", "merged", "repository=acme%2Fapi&label=bug"),
            ("Label", "bug", "repository=acme%2Fapi&state=merged"),
        ]


class TestPrice:
    def test_each_question_costs_what_its_docstring_says(self, api, django_assert_num_queries):
        label = LabelFactory.create(repository=api)
        for _ in range(3):
            PullRequestLabelFactory.create(pull_request=PullRequestFactory.create(repository=api), label=label)
        trust = trust_of_team()
        with django_assert_num_queries(0):
            filters = filters_from(QueryDict("state=open"), time_zone="UTC", trust=trust)
        with django_assert_num_queries(1):
            filters_from(QueryDict("author=a&reviewer=b"), time_zone="UTC", trust=trust)
        with django_assert_num_queries(3):
            pull_request_list(filters)
        with django_assert_num_queries(3):
            filter_options()


class TestPage:
    def url(self, team, query=""):
        return f"{reverse('metrics:pull_requests', args=[team.slug])}?{query}"

    def test_a_member_sees_rows_and_an_outsider_sees_nothing(self, team):
        with team_scope(team.pk):
            api = RepositoryFactory.create(full_name="acme/api", covered_from=ALWAYS)
            merged(at(10), repository=api, number=7, title="Keep the cart", pickup=5, review=24)
        text = client_of(team).get(self.url(team)).content.decode()
        assert f"/a/{team.slug}/pull-requests/acme/api/7/" in text
        assert "Keep the cart" in text
        assert "1 d 5 h" in text
        assert "1 – 1 of 1 pull request" in text
        assert outsider().get(self.url(team)).status_code == 404

    def test_a_duration_is_told_as_on_the_page_of_the_pull_request(self, team):
        with team_scope(team.pk):
            api = RepositoryFactory.create(full_name="acme/api", covered_from=ALWAYS)
            PullRequestFactory.create(repository=api, number=7, merged_at=at(10), cycle_time_seconds=45 * 60 + 40)
        client = client_of(team)
        page = client.get(reverse("metrics:pull_request", args=[team.slug, "acme", "api", 7])).content.decode()
        for text in (client.get(self.url(team)).content.decode(), page):
            assert ">45 min</" in text
            assert "46 min" not in text

    def test_those_by_bots_are_one_click_away(self, team):
        with team_scope(team.pk):
            api = RepositoryFactory.create(full_name="acme/api", covered_from=ALWAYS)
            bot = TeamMemberFactory.create(login="renovate[bot]", is_bot=True)
            PullRequestFactory.create(repository=api, number=1, author=bot)
        client = client_of(team)
        assert "Only bots opened what is stored here" in client.get(self.url(team)).content.decode()
        with team_scope(team.pk):
            PullRequestFactory.create(repository=api, number=2)
        text = " ".join(client.get(self.url(team, "state=open")).content.decode().split())
        assert "1 – 1 of 1 pull request · <a" in text
        assert 'href="?state=open&amp;bots=1"' in text
        assert ">1 by bots</a> left out" in text
        assert "left out" not in client.get(self.url(team, "state=open&bots=1")).content.decode()

    def test_another_teams_pull_requests_are_not_there(self, team, other_team):
        with team_scope(other_team.pk):
            PullRequestFactory.create(title="Secret plan")
        text = client_of(team).get(self.url(team, "q=Secret")).content.decode()
        assert "Secret plan" not in text
        assert "No pull request fits all of these filters" in text

    def test_titles_and_labels_stay_text(self, team):
        with team_scope(team.pk):
            pull_request = PullRequestFactory.create(title="<script>alert(1)</script>")
            label = LabelFactory.create(repository=pull_request.repository, name="<i>x</i>")
            PullRequestLabelFactory.create(pull_request=pull_request, label=label)
        text = client_of(team).get(self.url(team)).content.decode()
        assert "<script>alert" not in text
        assert "<i>x" not in text

    def test_htmx_gets_the_list_alone(self, team):
        query = "q=&state=merged&author=&sort=-updated"
        response = client_of(team).get(self.url(team, query), headers={"HX-Request": "true", "HX-Target": "list"})
        assert response.content.decode().lstrip().startswith('<div class="page-body" id="list">')
        assert "HX-Request" in response["Vary"]
        assert response["HX-Push-Url"] == self.url(team, "state=merged")  # without what was left empty

    def test_the_column_that_sorts_says_so_and_a_click_turns_it(self, team):
        with team_scope(team.pk):
            merged(at(10), pickup=3)
        text = client_of(team).get(self.url(team, "sort=-cycle_time&state=merged")).content.decode()
        assert text.count('aria-sort="descending"') == 1
        assert 'href="?state=merged&amp;sort=cycle_time"' in text

    def test_each_order_is_named_for_what_stands_first(self, team):
        with team_scope(team.pk):
            PullRequestFactory.create()
        text = client_of(team).get(self.url(team)).content.decode()
        for words in (
            "Merged, newest first",
            "Opened, oldest first",
            "Cycle time, longest first",
            "Size, smallest first",
            "Rounds, most first",
            "Comments, fewest first",
        ):
            assert f">{words}</option>" in text

    def test_only_the_methods_that_read_are_answered(self, team):
        assert client_of(team).post(self.url(team)).status_code == 405

    def test_its_price_does_not_grow_with_the_rows(self, team):
        client = client_of(team)
        client.get(self.url(team))  # the first request of a session costs more
        prices = []
        for count in (1, 3):
            with team_scope(team.pk):
                for _ in range(count):
                    PullRequestLabelFactory.create()
            prices.append(statements_of(lambda: client.get(self.url(team))))
        assert prices[0] == prices[1]
