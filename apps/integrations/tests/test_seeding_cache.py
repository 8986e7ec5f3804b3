"""The cache's file: whole or not at all, and whatever else stands there is told apart from it."""

from __future__ import annotations

import random
import secrets
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from apps.integrations.seeding.cache import CacheError, Kept, PRCache
from apps.integrations.seeding.stored_json import Unreadable, dumps, loads, shape_of
from apps.integrations.tests.seeding_support import REPO, no_file_larger_than, seed, seeded_rows
from apps.metrics.records import Account, LabelRecord, Part, PullRequestRecord
from apps.metrics.tests.whole_records import whole

MOMENT = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEPT = Kept(REPO, 2, MOMENT)


def pull_request(number=1, **more):
    fields = {"title": "A ✓ title", "state": "open", "is_draft": True, "author": Account(7, "ada")}
    return PullRequestRecord(
        10 + number, number, f"PR_{number}", created_at=MOMENT, updated_at=MOMENT, **{**fields, **more}
    )


def path_of(tmp_path):
    [path] = (tmp_path / "seeding").glob("*.sqlite3")
    return path


def half(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def nonsense(path):
    path.write_bytes(b"no database at all" * 100)


def a_hole(path):
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 2000] = bytes(2000)
    path.write_bytes(content)


def another_database(path):
    path.unlink()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE somebody (name TEXT)")


@pytest.mark.parametrize("tear", [half, nonsense, a_hole, another_database])
def test_a_torn_file_is_said_and_fetched_again(public_github, db, tmp_path, tear):
    seed(public_github)
    before = seeded_rows()
    tear(path_of(tmp_path))
    run = seed(public_github)
    assert (run.code, run.report["fetched"]) == (0, 60)
    assert "is torn: the repository is fetched again." in run.err
    assert seeded_rows() == before
    assert seed(public_github).report["fetched"] == 0


def test_an_empty_file_is_a_new_one(public_github, db, tmp_path):
    seed(public_github, most=5)
    path_of(tmp_path).write_bytes(b"")
    assert seed(public_github, most=5).report["fetched"] == 7


def test_a_file_of_an_older_version_is_fetched_again(public_github, db, tmp_path):
    seed(public_github)
    with sqlite3.connect(path_of(tmp_path)) as file:
        file.execute("PRAGMA user_version = 0")
    run = seed(public_github)
    assert (run.code, run.report["fetched"]) == (0, 60)
    assert "was written by another version of tformance" in run.err


def test_a_file_of_a_newer_version_is_left_as_it_is(public_github, db, tmp_path):
    seed(public_github)
    with sqlite3.connect(path_of(tmp_path)) as file:
        file.execute("PRAGMA user_version = 99")
    before = path_of(tmp_path).read_bytes()
    run = seed(public_github)
    assert (run.code, run.requests) == (1, 0)
    assert "Update this one, or use --no-cache" in run.err
    assert path_of(tmp_path).read_bytes() == before


def test_what_cannot_be_stored_leaves_what_was_there(tmp_path):
    cache = PRCache.at(tmp_path, REPO)
    cache.store(KEPT, pull_requests=[pull_request(1)])
    with no_file_larger_than(64 * 1024), pytest.raises(CacheError, match="Make room there"):
        cache.store(replace(KEPT, stated=9), pull_requests=[pull_request(2, body=secrets.token_hex(200_000))])
    assert (cache.count, cache.kept) == (1, KEPT)
    cache.store(replace(KEPT, stated=3), pull_requests=[pull_request(3)])
    cache.close()
    assert PRCache.at(tmp_path, REPO).count == 2


def test_whatever_happens_to_its_bytes_it_is_as_it_was_or_torn(tmp_path):
    records = [pull_request(number, body=secrets.token_hex(300)) for number in range(40, 0, -1)]
    cache = PRCache.at(tmp_path, REPO)
    cache.store(KEPT, pull_requests=records)
    cache.close()
    good, dice = cache.path.read_bytes(), random.Random(5)
    for _ in range(40):
        bad = bytearray(good[: dice.choice([len(good), dice.randrange(1, len(good))])])
        bad[dice.randrange(len(bad))] ^= 1 << dice.randrange(8)
        cache.path.write_bytes(bad)
        found = PRCache.at(tmp_path, REPO)
        was_kept = [record for batch in found.newest(100) for record in batch]
        assert was_kept == ([] if found.note else records)
        found.close()


def test_a_refresh_that_brings_nothing_loses_nothing(tmp_path):
    cache = PRCache.at(tmp_path, REPO)
    cache.store(KEPT, pull_requests=[pull_request(1)])
    cache.close()
    anew = PRCache.at(tmp_path, REPO, anew=True)
    assert (anew.count, anew.kept) == (0, None)
    anew.close()
    again = PRCache.at(tmp_path, REPO)
    assert again.count == 1


def test_they_are_merged_by_number_newest_first(tmp_path):
    cache = PRCache.at(tmp_path, REPO)
    cache.store(KEPT, pull_requests=[pull_request(number) for number in (1, 3, 2)])
    cache.store(KEPT, pull_requests=[pull_request(2, title="Another"), pull_request(4)])
    [records] = cache.newest(3)
    assert [(each.number, each.title) for each in records] == [(4, "A ✓ title"), (3, "A ✓ title"), (2, "Another")]


def test_what_no_row_can_hold_is_left_out_and_named(tmp_path):
    cache = PRCache.at(tmp_path, REPO)
    kept = cache.store(KEPT, pull_requests=[pull_request(1), pull_request(2, additions=2**70)])
    assert cache.count == 1
    assert kept.lost[0].startswith("#2: what GitHub says of it cannot be kept")


def test_a_record_comes_back_as_it_was():
    record = whole(1, files=None, excerpts=frozenset({Part.REVIEWS}), partial={"files": "GitHub was away"})
    assert loads(PullRequestRecord, dumps(record)) == record


@pytest.mark.parametrize(
    "text",
    [b"", b"[]", b"{", b"null", dumps(pull_request()).replace(b'"is_draft":true', b'"is_draft":1'), b'{"id":1}'],
)
def test_what_is_no_such_record_is_refused(text):
    with pytest.raises(Unreadable):
        loads(PullRequestRecord, text)


def test_its_shape_tells_whatever_is_in_it():
    assert shape_of(PullRequestRecord) != shape_of(LabelRecord)
    assert shape_of(PullRequestRecord) == shape_of(PullRequestRecord)
