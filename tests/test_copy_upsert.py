"""`copy_upsert` writes what save() would, whichever way the rows travel."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import DataError, IntegrityError, ProgrammingError, connection, transaction

from apps.common import copy_upsert as module
from apps.common.copy_upsert import Upserted, begin_upsert, copy_upsert, pipelined, update_rows
from apps.integrations.factories import GitHubIntegrationFactory
from apps.integrations.models import IntegrationCredential
from apps.metrics.factories import PullRequestFactory, RepositoryFactory
from apps.metrics.models import PullRequest, WeeklyMetrics
from apps.teams.scope import team_scope

OPENED = datetime(2026, 1, 1, tzinfo=UTC)
KNOWN = {
    "github_repo": "acme/api",
    "github_pr_id": 2**40,
    "node_id": "PR_1",
    "state": "open",
    "pr_created_at": OPENED,
    "pr_updated_at": OPENED,
}
ROW = {
    "number": 1,
    "title": 'tab\tnewline\nback\\slash "ü" \\N \u2028 🙂 %s %(x)s',
    "is_draft": True,
    "merged_at": datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
    "cycle_time_hours": Decimal("12.50"),
    "cycle_time_seconds": 2**40,
    "additions": 7,
    "rework_after_approval": False,
    "totals": {"a": [1, None, "ü"], "b": {"c": True}},
    "ai_tools": ["a,b", 'say "x"', "", "{}", "NULL"],
}
EMPTY = {
    **ROW,
    "number": 2,
    "title": "",
    "is_draft": False,
    "merged_at": None,
    "cycle_time_hours": None,
    "cycle_time_seconds": None,
    "additions": None,
    "rework_after_approval": None,
    "totals": {},
    "ai_tools": [],
}
UPDATE = [name for name in ROW if name != "number"]


@pytest.fixture(params=["json", "copy"])
def way(request, monkeypatch):
    monkeypatch.setattr(module, "COPY_FROM", 1 if request.param == "copy" else 10_000)
    return request.param


@pytest.fixture
def theirs(other_team):
    """Another team's row with the same key, and with a parent."""
    return PullRequestFactory(team=other_team, number=1, title="theirs")


@pytest.fixture
def repository(team, theirs, way):
    with team_scope(team.pk):
        yield RepositoryFactory(full_name="acme/api")


@pytest.fixture
def upsert(repository):
    def write(*rows, update=UPDATE, **options):
        given = [{**KNOWN, "repository_id": repository.pk, **row} for row in rows]
        conflict = ["team", "repository", "number"]
        return copy_upsert(PullRequest, given, conflict=conflict, update=update, **options)

    return write


def stored(*names):
    return list(PullRequest.objects.order_by("number").values(*names))


def test_every_type_comes_back_as_it_went(upsert):
    assert upsert(ROW, EMPTY) == Upserted(inserted=2)
    assert stored(*ROW) == [ROW, EMPTY]


def test_it_counts_inserted_updated_and_unchanged_and_rewrites_changes_only(upsert):
    upsert(ROW, EMPTY)

    def places():
        with connection.cursor() as cursor:
            cursor.execute("SELECT number, ctid::text FROM metrics_pullrequest ORDER BY number")
            return dict(cursor.fetchall())

    before = places()
    assert upsert(ROW, {**EMPTY, "title": "new"}, {**ROW, "number": 3}) == Upserted(1, 1, 1)
    after = places()
    assert after[1] == before[1]
    assert after[2] != before[2]


@pytest.mark.parametrize("field", UPDATE)
def test_a_change_of_any_type_is_seen_also_from_and_to_null(upsert, field):
    upsert(ROW)
    for value, changes in ((EMPTY[field], 1), (EMPTY[field], 0), (ROW[field], 1)):
        assert upsert({**ROW, field: value}).updated == changes


def test_fields_outside_update_keep_their_value(upsert):
    upsert(ROW)
    assert upsert({**ROW, "title": "x", "is_draft": False}, update=["title"]).updated == 1
    assert stored("title", "is_draft") == [{"title": "x", "is_draft": True}]
    assert upsert({**ROW, "title": "y"}, update=[]) == Upserted(unchanged=1)


def test_touched_fields_are_set_with_a_change_and_are_none_themselves(upsert):
    late, later = datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
    upsert({**ROW, "synced_at": late}, touch=["synced_at"])
    assert upsert({**ROW, "synced_at": later}, touch=["synced_at"]) == Upserted(unchanged=1)
    assert stored("synced_at") == [{"synced_at": late}]
    assert upsert({**ROW, "synced_at": later, "title": "x"}, touch=["synced_at"]) == Upserted(updated=1)
    assert stored("synced_at") == [{"synced_at": later}]


@pytest.mark.parametrize(("field", "unknown"), [("title", ""), ("additions", None)])
def test_what_is_not_known_keeps_what_is(upsert, field, unknown):
    rest = [name for name in UPDATE if name != field]
    upsert(ROW)
    assert upsert({**ROW, field: unknown}, update=rest, keep=[field]) == Upserted(unchanged=1)
    other = {**ROW, field: EMPTY["number"] if field == "additions" else "other"}
    assert upsert(other, update=rest, keep=[field]) == Upserted(updated=1)
    assert upsert({**ROW, "number": 5, field: unknown}, update=rest, keep=[field]) == Upserted(inserted=1)


def test_a_condition_leaves_rows_as_they_are(upsert):
    newer = "t.pr_updated_at <= EXCLUDED.pr_updated_at"
    upsert(ROW)
    stale = {**ROW, "title": "stale", "pr_updated_at": datetime(2025, 1, 1, tzinfo=UTC)}
    assert upsert(stale, when=newer) == Upserted(unchanged=1)
    assert upsert({**ROW, "title": "fresh"}, when=newer) == Upserted(updated=1)


def test_it_returns_what_was_asked_for_of_new_and_changed_rows(upsert):
    assert upsert(ROW, returning=["number", "title"]).written == ((1, ROW["title"]),)
    done = upsert(ROW, {**ROW, "number": 3}, {**EMPTY, "number": 4}, returning=["number"])
    assert (sorted(done.written), done.inserted, done.unchanged) == ([(3,), (4,)], 2, 1)


def test_what_the_rows_leave_out_takes_its_default(upsert):
    upsert({"number": 7, "title": "x"}, update=[])
    pr = PullRequest.objects.get()
    assert (pr.body, pr.is_draft, pr.totals, pr.ai_tools, pr.milestone_id) == ("", False, {}, [], None)


def test_auto_now_is_set_with_a_change_only(team, way):
    week = {"week": OPENED.date(), "member_id": None, "prs_opened": 1}
    keys = {"conflict": ["team", "week", "member"], "update": ["prs_opened"]}
    with team_scope(team.pk):
        copy_upsert(WeeklyMetrics, [week], **keys)
        computed = WeeklyMetrics.objects.get().computed_at
        assert copy_upsert(WeeklyMetrics, [week], **keys) == Upserted(unchanged=1)
        assert WeeklyMetrics.objects.get().computed_at == computed
        assert copy_upsert(WeeklyMetrics, [{**week, "prs_opened": 2}], **keys) == Upserted(updated=1)
        assert WeeklyMetrics.objects.get().computed_at > computed


def test_nothing_is_nothing(upsert, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert upsert() == Upserted()


def test_the_number_of_statements_does_not_grow(upsert, way, django_assert_num_queries):
    for count in (1, 50):
        with django_assert_num_queries({"json": 1, "copy": 4}[way]):
            upsert(*({**ROW, "number": number} for number in range(count)))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ((ROW, EMPTY, ROW), r"1 keys occur more than once, the first is \{.*'number': 1\}"),
        ((ROW, {"number": 2}), "Rows differ in their fields"),
    ],
)
def test_a_bad_batch_is_refused_before_the_database(upsert, rows, message, django_assert_num_queries):
    with django_assert_num_queries(0), pytest.raises(ValueError, match=message):
        upsert(*rows)


@pytest.mark.parametrize(
    ("name", "value"),
    [("cycle_time_hours", Decimal("1e9")), ("number", 2**40), ("title", "\0"), ("state", "far too long a state")],
)
def test_database_errors_are_djangos(upsert, name, value):
    with pytest.raises((DataError, ValueError)), transaction.atomic():
        upsert({**ROW, name: value})
    assert not PullRequest.objects.exists()


def test_another_teams_row_with_the_same_key_is_left_alone(upsert, other_team):
    assert upsert(ROW) == Upserted(inserted=1)
    assert PullRequest.objects.get().title == ROW["title"]


def test_a_row_for_another_team_is_refused_by_the_policy(upsert, other_team):
    with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
        upsert({**ROW, "team_id": other_team.pk})


def test_another_teams_parent_is_refused_by_the_foreign_key(upsert, theirs):
    with pytest.raises(IntegrityError, match="metrics_pullrequest_author_id_team"), transaction.atomic():
        upsert({**ROW, "author_id": theirs.author_id})


def test_two_batches_fit_in_one_transaction(upsert):
    assert upsert(ROW) == Upserted(inserted=1)
    assert upsert({**ROW, "title": "b"}) == Upserted(updated=1)


def test_answers_may_be_read_after_everything_is_sent(upsert, repository):
    def begin(number):
        row = {**KNOWN, **ROW, "repository_id": repository.pk, "number": number}
        key = ["team", "repository", "number"]
        return begin_upsert(PullRequest, [row], conflict=key, update=UPDATE, returning=["number"])

    upsert({**ROW, "number": 2, "title": "old"})
    with pipelined():
        pending = [begin(number) for number in (1, 2, 2)]
        assert PullRequest.objects.count() == 2
    results = [each.result() for each in pending]
    assert results == [Upserted(1, 0, 0, ((1,),)), Upserted(0, 1, 0, ((2,),)), Upserted(0, 0, 1)]


def test_an_error_in_a_pipeline_is_djangos_too(repository):
    row = {**KNOWN, **ROW, "repository_id": 2**50}
    error = pytest.raises(IntegrityError, match="metrics_pullrequest_repository_id_team")
    with error, transaction.atomic(), pipelined():
        begin_upsert(PullRequest, [row], conflict=["team", "repository", "number"], update=UPDATE)
    assert not PullRequest.objects.exists()


def test_secrets_are_encrypted_on_the_way(team, way):
    with team_scope(team.pk):
        row = {
            "integration_id": GitHubIntegrationFactory.create().pk,
            "kind": "token",
            "access_token": "ghp_secret",
            "github_user_id": 1,
            "github_login": "anna",
        }
        key = ["team", "integration", "kind", "github_user_id"]
        assert copy_upsert(IntegrationCredential, [row], conflict=key, update=["access_token"]).inserted == 1
        assert IntegrationCredential.objects.get(github_user_id=1).access_token == "ghp_secret"
        with connection.cursor() as cursor:
            cursor.execute("SELECT access_token FROM integrations_integrationcredential WHERE github_user_id = 1")
            assert "ghp_secret" not in cursor.fetchone()[0]


def test_without_a_scope_it_says_what_is_missing(db):
    with pytest.raises(ValueError, match=r"WeeklyMetrics\.team has neither a value nor a default here"):
        copy_upsert(WeeklyMetrics, [{"week": OPENED.date()}], conflict=["team", "week", "member"], update=[])


def test_rows_that_exist_are_changed_by_their_id_and_only_where_they_differ(upsert, django_assert_num_queries):
    upsert(ROW, EMPTY)
    first, second = PullRequest.objects.order_by("number").values_list("id", flat=True)
    rows = [{"id": first, **ROW}, {"id": second, **ROW}, {"id": 2**50, **ROW}]
    with django_assert_num_queries(1):
        assert update_rows(PullRequest, rows, update=UPDATE) == 1
    assert stored(*UPDATE) == [{name: ROW[name] for name in UPDATE}] * 2
    assert update_rows(PullRequest, rows, update=UPDATE) == 0
    assert update_rows(PullRequest, [], update=UPDATE) == 0


def test_rows_of_another_team_are_not_changed(upsert, theirs):
    assert update_rows(PullRequest, [{"id": theirs.pk, **ROW}], update=UPDATE) == 0


def test_what_json_cannot_carry_is_refused(upsert):
    with pytest.raises(ValueError, match="cannot be written from JSON"):
        update_rows(IntegrationCredential, [{"id": 1, "access_token": "x"}], update=["access_token"])
