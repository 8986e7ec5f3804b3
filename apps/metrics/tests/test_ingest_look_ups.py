"""What PostgreSQL reads to check the foreign keys of a page, in the session that found all tables empty."""

from __future__ import annotations

import pytest
from django.db import connection, transaction

from apps.common.roles import as_owner
from apps.metrics.factories import RepositoryFactory
from apps.metrics.services.ingest import ingest_pull_requests
from apps.metrics.services.ingest.writing import find_by_index
from apps.metrics.tests.whole_records import NOW
from apps.teams.scope import team_scope
from benchmarks.believable import pull_requests

PARENTS_OF_KEYS = """
SELECT DISTINCT confrelid::regclass::text FROM pg_constraint
WHERE contype = 'f' AND cardinality(confkey) = 2 AND confrelid::regclass::text LIKE 'metrics_%' ORDER BY 1
"""
LOOKED_UP = "SELECT seq_tup_read, idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'metrics_pullrequest'"


@pytest.mark.django_db(transaction=True)
def test_rows_read_to_check_keys_do_not_grow_with_what_is_stored(team):
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("TRUNCATE metrics_repository, metrics_teammember CASCADE")  # what other tests left in files
        cursor.execute("ANALYZE")  # now PostgreSQL knows that the tables are empty
    with team_scope(team.pk):
        compare_pages(RepositoryFactory(team=team))


def compare_pages(repository):
    def ingest(records):
        return ingest_pull_requests(repository, records, synced_at=NOW)

    def read_by_a_page(records):
        before = asked(LOOKED_UP)[0]
        rows = sum(ingest(records).rows.values())
        sequential, by_index = (now - then for now, then in zip(asked(LOOKED_UP)[0], before, strict=True))
        return sequential, by_index / rows

    with connection.cursor() as cursor:
        cursor.execute("DISCARD PLANS")  # as a new worker, which plans while nothing is stored
    records = list(pull_requests(144))
    first = read_by_a_page(records[:24])
    ingest(records[24:120])
    last = read_by_a_page(records[120:])
    assert first[0] == last[0] == 0
    assert 0.5 < first[1] < 1.5  # nearly each row of a page is a pull request's: one look-up each
    assert 0.5 < last[1] < 1.5


@pytest.mark.django_db(transaction=True)
def test_a_key_is_found_by_the_index_that_holds_it_whatever_the_statistics_say():
    """Empty tables: each index that begins with the team costs the same."""
    with as_owner(), transaction.atomic():
        find_by_index()
        parents = [name for (name,) in asked(PARENTS_OF_KEYS)]
        assert len(parents) > 5
        for parent in parents:
            ((plan,),) = asked(
                f"EXPLAIN (GENERIC_PLAN, FORMAT JSON) SELECT 1 FROM ONLY {parent} x"
                " WHERE team_id = $1 AND id = $2 FOR KEY SHARE OF x"
            )
            scan = plan[0]["Plan"]["Plans"][0]
            assert "id = $2" in scan.get("Index Cond", ""), f"{parent}: {scan}"


def asked(query):
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()
