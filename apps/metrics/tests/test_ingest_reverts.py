"""Which pull request a revert takes back."""

from __future__ import annotations

import pytest

from apps.metrics.models import PullRequest
from apps.metrics.tests.whole_records import whole


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
@pytest.mark.parametrize(
    ("title", "body"),
    [
        ('Revert "Change 1"', ""),
        ("Take it back", "Reverts acme/api#1"),
        ("Take it back", f"This reverts commit {10_000_000_100:040x}."),
        ("Take it back", f"This reverts commit {f'{10_000_000_100:040x}'[:38]}."),
    ],
)
def test_a_revert_finds_what_it_undoes_whichever_arrives_first(ingest, order, title, body):
    records = {1: whole(1), 2: whole(2, title=title, body=body)}
    for number in order:
        ingest(records[number])
    assert dict(PullRequest.objects.values_list("number", "reverts__number")) == {1: None, 2: 1}


def test_a_quoted_title_means_the_latest_earlier_one(ingest):
    ingest(whole(9, title='Revert "Same"'))
    ingest(whole(3, title="Same"))
    ingest(whole(12, title="Same"))
    ingest(whole(5, title="Same"))
    assert PullRequest.objects.get(number=9).reverts.number == 5
