"""The numbers of the overview and of the review load, worked out by hand."""

from datetime import UTC, datetime

import pytest
from django.db.models import QuerySet
from django.http import QueryDict

from apps.metrics.factories import (
    LabelFactory,
    PRReviewFactory,
    PullRequestFactory,
    PullRequestLabelFactory,
    RepositoryFactory,
    TeamMemberFactory,
)
from apps.metrics.models import PullRequest
from apps.metrics.queries.comparison import Verdict
from apps.metrics.queries.insight import insights_of
from apps.metrics.queries.overview import overview_for
from apps.metrics.queries.population import population_from
from apps.metrics.queries.pull_request_filters import filters_from
from apps.metrics.queries.review_load import review_load_for
from apps.metrics.queries.trust import trust_of_team
from apps.metrics.tests.pages import ALWAYS, HOUR, MARCH, NOW, at, merged
from apps.teams.scope import team_scope

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(scope):
    return RepositoryFactory.create(full_name="acme/api", covered_from=ALWAYS, synced_to=NOW)


def population_of(query=MARCH, time_zone="UTC"):
    return population_from(QueryDict(query), time_zone=time_zone, now=NOW, trust=trust_of_team())


def overview_of(query=MARCH, **given):
    return overview_for(population_of(query, **given), trust_of_team(), now=NOW)


def spread(duration):
    return tuple(None if value is None else value / HOUR for value in (duration.median, duration.p75, duration.p90))


class TestFigures:
    def test_it_tells_median_p75_p90_and_how_many(self, api):
        for hours in (1, 2, 3, 4, 10):
            merged(at(10), repository=api, pickup=hours)
        found = overview_of()
        # of 1 2 3 4 10: the middle, the fourth, and 0.6 of the way from the fourth to the fifth
        assert spread(found.cycle_time.now) == (3, 4, pytest.approx(7.6))
        assert (found.cycle_time.now.n, found.merged) == (5, 5)

    def test_it_tells_every_stage_apart(self, api):
        for _ in range(5):
            merged(at(10), repository=api, coding=5, pickup=4, review=3, merge=2)
        found = overview_of()
        assert [stage.now.median / HOUR for stage in found.stages] == [5, 4, 3, 2]
        assert found.cycle_time.now.median == 9 * HOUR
        assert found.review_time.now.median == 4 * HOUR

    def test_time_to_first_review_rests_on_those_that_had_one(self, api):
        merged(at(10), repository=api, pickup=4)
        merged(at(10), repository=api, pickup=40, first_review_at=None)
        found = overview_of()
        assert (found.review_time.now.n, found.review_time.now.median) == (1, 4 * HOUR)
        assert (found.cycle_time.now.n, found.unreviewed) == (2, 1)

    def test_merge_is_told_with_and_without_rework(self, api):
        merged(at(10), repository=api, merge=30)
        merged(at(10), repository=api, merge=300, rework_after_approval=True)
        merged(at(10), repository=api, merge=100, rework_after_approval=True)
        found = overview_of()
        assert (found.merge_with_rework.n, found.merge_with_rework.median) == (2, 200 * HOUR)
        assert (found.merge_without_rework.n, found.merge_without_rework.median) == (1, 30 * HOUR)

    def test_throughput_is_what_was_merged_for_each_week(self, api):
        author = TeamMemberFactory.create()
        for day in (2, 9, 16, 23, 24, 25):
            merged(at(day), repository=api, pickup=1, author=author)
        found = overview_of().throughput
        assert (found.merged, found.per_week, found.authors, found.per_author) == (6, 1.5, 1, 6)

    def test_opened_and_closed_are_counted_when_they_happened(self, api):
        merged(at(10), repository=api, pickup=24 * 30)  # opened before the period
        merged(at(5, month=4), repository=api, pickup=24 * 10)  # opened in it, merged after it
        PullRequestFactory.create(repository=api, state="closed", closed_at=at(20), pr_updated_at=at(20))
        found = overview_of().throughput
        assert (found.merged, found.opened, found.closed_unmerged) == (1, 2, 1)  # the factory opens on 2 March

    def test_what_nobody_merged_has_no_median(self, api):
        found = overview_of()
        assert (found.cycle_time.now.n, found.cycle_time.now.median) == (0, None)
        assert found.cycle_time.change.verdict is Verdict.NOTHING


class TestWhoCounts:
    def test_a_deleted_author_counts_and_a_bot_does_not(self, api):
        merged(at(10), repository=api, author=None)
        merged(at(10), repository=api, author=TeamMemberFactory.create(is_bot=True))
        merged(at(10), repository=api, author=TeamMemberFactory.create(marked_bot=True))
        merged(at(10), repository=api, author=TeamMemberFactory.create(is_bot=True, marked_bot=False))
        assert overview_of().merged == 2
        assert overview_of(f"{MARCH}&bots=1").merged == 4

    def test_what_is_gone_does_not_count(self, api):
        merged(at(10), repository=api, gone_at=NOW)
        merged(at(10), repository=RepositoryFactory.create(gone_at=NOW))
        assert overview_of().merged == 0

    def test_another_teams_pull_requests_do_not_count(self, team, other_team):
        for each in (other_team, team):
            with team_scope(each.pk):
                merged(at(10), repository=RepositoryFactory.create(covered_from=ALWAYS))
        with team_scope(team.pk):
            assert overview_of().merged == 1

    def test_a_day_is_a_day_of_the_team(self, api):
        merged(datetime(2026, 3, 1, 23, 30, tzinfo=UTC), repository=api)  # in Berlin the 2nd has begun
        assert overview_of(time_zone="UTC").merged == 0
        assert overview_of(time_zone="Europe/Berlin").merged == 1

    def test_labels_choose_and_leave_out(self, api):
        label = LabelFactory.create(repository=api, name="dependencies")
        PullRequestLabelFactory.create(pull_request=merged(at(10), repository=api), label=label)
        merged(at(10), repository=api)
        assert overview_of(f"{MARCH}&label=dependencies").merged == 1
        assert overview_of(f"{MARCH}&not_label=dependencies").merged == 1
        assert overview_of(f"{MARCH}&label=other").merged == 0

    def test_repositories_are_chosen_by_name_in_any_case(self, api):
        web = RepositoryFactory.create(full_name="acme/web", covered_from=ALWAYS)
        merged(at(10), repository=api)
        merged(at(10), repository=web)
        assert overview_of(f"{MARCH}&repository=ACME/web").merged == 1
        assert overview_of(f"{MARCH}&repository=acme/web&repository=acme/api").merged == 2

    def test_a_repository_that_is_not_kept_is_said(self, api):
        population = population_of(f"{MARCH}&repository=acme/secret")
        assert (population.repositories, population.notes) == ((), ("No repository “acme/secret” is kept here.",))


class TestChange:
    def pair(self, repository, now, before, count=5):
        for _ in range(count):
            merged(at(10), repository=repository, pickup=now)
            merged(at(10, month=2), repository=repository, pickup=before)

    @pytest.mark.parametrize(
        ("now", "before", "verdict", "words"),
        [
            (15, 10, Verdict.WORSE, "50% slower"),
            (5, 10, Verdict.BETTER, "50% faster"),
            (30, 10, Verdict.WORSE, "3.0 times as long"),
            (104, 100, Verdict.FLAT, "no clear change"),
            (96, 100, Verdict.FLAT, "no clear change"),
            (5, 0, Verdict.WORSE, "slower"),
            (0, 0, Verdict.FLAT, "no clear change"),
        ],
    )
    def test_it_is_told_with_a_word(self, api, now, before, verdict, words):
        self.pair(api, now, before)
        change = overview_of().cycle_time.change
        assert (change.verdict, change.words, change.before) == (verdict, words, before * HOUR)

    def test_of_fewer_than_five_nothing_is_said(self, api):
        self.pair(api, 20, 10, count=4)
        change = overview_of().cycle_time.change
        assert (change.verdict, change.words) == (Verdict.TOO_FEW, "too few to compare: n 4, needs 5")

    def test_more_merges_are_neither_good_nor_bad(self, api):
        self.pair(api, 1, 1, count=6)
        for _ in range(3):
            merged(at(11), repository=api)
        change = overview_of().throughput.change
        assert (change.verdict, change.words, change.before) == (Verdict.MORE, "50% more", 1.5)

    def test_nothing_is_compared_with_a_time_that_is_not_covered(self, api):
        self.pair(api, 20, 10)
        api.covered_from = at(15, month=2)
        api.save()
        change = overview_of().cycle_time.change
        assert (change.verdict, change.words) == (Verdict.NOT_COVERED, "not covered before 15 Feb 2026")
        assert change.before is None

    def test_nothing_is_compared_while_the_first_sync_runs(self, api):
        self.pair(api, 20, 10)
        api.covered_from = None
        api.save()
        found = overview_of()
        assert (found.merged, found.cycle_time.change.words) == (5, "the first sync is not done")

    def test_a_repository_that_was_added_later_is_left_out_of_the_comparison_only(self, api):
        late = RepositoryFactory.create(full_name="acme/late", covered_from=at(1))
        self.pair(api, 20, 10)
        self.pair(late, 1000, 1)
        found = overview_of()
        assert (found.merged, found.cycle_time.now.n) == (10, 10)
        assert (found.cycle_time.change.words, found.cycle_time.change.before) == ("2.0 times as long", 10 * HOUR)
        assert found.coverage.left_out == ("late",)


class TestWeeks:
    def test_every_week_is_there_from_the_period_before_on(self, api):
        merged(at(10), repository=api, coding=1, pickup=2, review=3, merge=4)
        weeks = overview_of().weeks
        assert len(weeks) == 12
        assert (str(weeks[0].monday), str(weeks[-1].monday)) == ("2026-01-05", "2026-03-23")
        week = weeks[-3]
        assert (str(week.monday), week.merged, week.lead) == ("2026-03-09", 1, 10 * HOUR)
        assert week.stages == (1 * HOUR, 2 * HOUR, 3 * HOUR, 4 * HOUR)
        assert (weeks[-2].merged, weeks[-2].lead) == (0, None)

    def test_a_week_begins_on_the_teams_monday(self, api):
        merged(datetime(2026, 3, 8, 23, 30, tzinfo=UTC), repository=api)
        assert [str(w.monday) for w in overview_of(time_zone="Europe/Berlin").weeks if w.merged] == ["2026-03-09"]
        assert [str(w.monday) for w in overview_of(time_zone="UTC").weeks if w.merged] == ["2026-03-02"]

    def test_a_week_is_covered_when_all_of_it_is(self, api):
        api.covered_from = at(10)
        api.save()
        assert [week.is_covered for week in overview_of().weeks[-4:]] == [False, False, True, True]

    def test_a_week_that_one_repository_covers_names_the_others(self, api):
        RepositoryFactory.create(full_name="acme/late", covered_from=at(10))
        week = overview_of().weeks[-3]
        assert (week.is_covered, week.not_covered) == (True, ("late",))

    def test_a_week_that_is_not_over_says_so(self, api):
        weeks = overview_of("from=2026-04-06&to=2026-04-21").weeks
        assert [week.is_running for week in weeks[-3:]] == [False, False, True]


class TestRepositories:
    def test_the_slowest_comes_first_and_few_are_not_judged(self, api):
        slow = RepositoryFactory.create(full_name="acme/slow", covered_from=ALWAYS)
        tiny = RepositoryFactory.create(full_name="acme/tiny", covered_from=ALWAYS)
        for _ in range(5):
            merged(at(10), repository=api, pickup=1)
            merged(at(10), repository=slow, pickup=50)
        merged(at(10), repository=tiny, pickup=5000)
        rows = overview_of().repositories
        assert [(row.repository.name, row.cycle_time.now.n) for row in rows] == [("slow", 5), ("api", 5), ("tiny", 1)]

    def test_what_got_markedly_slower_is_the_insight(self, api):
        web = RepositoryFactory.create(full_name="acme/web", covered_from=ALWAYS)
        for _ in range(10):
            merged(at(10), repository=api, pickup=8, review=3)
            merged(at(10, month=2), repository=api, pickup=4, review=3)
            merged(at(10), repository=web, pickup=4)
            merged(at(10, month=2), repository=web, pickup=4)
        (insight,) = insights_of(overview_of())
        assert (insight.stage, insight.row.repository.name, insight.factor) == ("pickup", "api", 2)
        assert (insight.others, insight.others_flat) == (1, 1)

    def test_there_is_no_insight_that_the_data_do_not_carry(self, api):
        for _ in range(9):
            merged(at(10), repository=api, pickup=80)
            merged(at(10, month=2), repository=api, pickup=4)
        assert insights_of(overview_of()) == ()


class TestReviewLoad:
    def test_it_counts_reviews_of_others_by_people_up_to_the_merge(self, api):
        author, mira, bot = (TeamMemberFactory.create(login=login) for login in ("author", "mira", "robot"))
        bot.is_bot = True
        bot.save()
        one = merged(at(20), repository=api, author=author)
        two = merged(at(20), repository=api, author=author)
        for pull_request, reviewer, when in (
            (one, mira, at(10)),
            (one, mira, at(11)),
            (two, mira, at(12)),
            (one, author, at(10)),
            (one, bot, at(10)),
            (two, mira, at(21)),  # after the merge
            (two, mira, at(12, month=2)),  # in the period before
        ):
            PRReviewFactory.create(pull_request=pull_request, reviewer=reviewer, submitted_at=when)
        load = review_load_for(population_of())
        (reviewer,) = load.busiest
        assert (reviewer.login, reviewer.pull_requests, reviewer.reviews, reviewer.pull_requests_before) == (
            "mira",
            2,
            3,
            1,
        )
        assert (load.people, load.reviews, load.share_of_busiest) == (1, 3, 1)
        assert set(listed_for("mira")) == {one, two}
        assert not listed_for("robot").exists()

    def test_a_deleted_reviewer_counts_unless_the_author_is_deleted_too(self, api):
        PRReviewFactory.create(pull_request=merged(at(20), repository=api), reviewer=None, submitted_at=at(10))
        PRReviewFactory.create(
            pull_request=merged(at(20), repository=api, author=None), reviewer=None, submitted_at=at(10)
        )
        load = review_load_for(population_of())
        assert [(one.login, one.pull_requests) for one in load.busiest] == [(None, 1)]
        assert listed_for("deleted").count() == 1


def listed_for(reviewer: str) -> QuerySet[PullRequest]:
    """What the list shows behind the number of this reviewer."""
    query = QueryDict(f"{population_of().reviewed_query()}&reviewer={reviewer}")
    return filters_from(query, time_zone="UTC", trust=trust_of_team()).select()


class TestPrice:
    def test_each_question_costs_what_its_docstring_says(self, api, django_assert_num_queries):
        PRReviewFactory.create(pull_request=merged(at(10), repository=api), submitted_at=at(9))
        with django_assert_num_queries(2):
            trust = trust_of_team()
        with django_assert_num_queries(0):
            population = population_from(QueryDict(MARCH), time_zone="UTC", now=NOW, trust=trust)
        with django_assert_num_queries(4):
            overview_for(population, trust, now=NOW)
        with django_assert_num_queries(2):
            review_load_for(population)
        RepositoryFactory.create(covered_from=at(1))
        trust = trust_of_team()
        with django_assert_num_queries(5):
            overview_for(population, trust, now=NOW)
