"""Reverts and hotfixes by what titles, bodies, labels and branches say."""

from __future__ import annotations

import pytest

from apps.metrics.calculations import derive
from apps.metrics.records import LabelRecord
from apps.metrics.tests.histories import pull_request

SHA = "9f3c1e2ab0d4c7e8f1a2b3c4d5e6f708192a3b4c"


@pytest.mark.parametrize(
    ("title", "body", "is_revert", "number", "sha", "quoted"),
    [
        ('Revert "Retry webhooks"', "", True, None, "", "Retry webhooks"),
        ('Revert "Retry webhooks"', "Reverts harbour/api#12", True, 12, "", ""),
        ('Revert "Retry webhooks"', "Reverts Harbour/API#12", True, 12, "", ""),
        ('Revert "Retry webhooks"', "Reverts other/place#12", True, None, "", "Retry webhooks"),
        ('Revert "Retry webhooks"', f"This reverts commit {SHA}.", True, None, SHA, ""),
        ('Revert "Retry webhooks"', f"Reverts #12\n\nThis reverts commit {SHA}.", True, 12, SHA, ""),
        ('Revert "Say "hello" again"', "", True, None, "", 'Say "hello" again'),
        ('Revert "A title that was cut o…', "", True, None, "", "A title that was cut o…"),
        ('Revert "Revert "Retry webhooks""', "Reverts #12", False, None, "", ""),
        ('Revert "Revert "Revert "Retry webhooks"""', "", True, None, "", 'Revert "Revert "Retry webhooks""'),
        ('Reapply "Retry webhooks"', f"This reverts commit {SHA}.", False, None, "", ""),
        ('Revert "Reapply "Retry webhooks""', "", True, None, "", 'Reapply "Retry webhooks"'),
        ("Revert retrying", "", False, None, "", ""),
        ("Go back", "", False, None, "", ""),
        ("Go back", "This reverts PR #211.", True, 211, "", ""),
        ("Go back", "It was wrong: this reverts pull request #211, for now.", True, 211, "", ""),
        ("Go back", "reverts harbour/api#9", True, 9, "", ""),
        ("Go back", "REVERTS #9", True, 9, "", ""),
        ("Go back", "Some words.\r\n\r\nThis Reverts Commit 9F3C1E2.\r\n", True, None, "9f3c1e2", ""),
        ("Go back", "This reverts commit 9f3c1e.", False, None, "", ""),
        ("Go back", "This reverts commit deadbeefs.", False, None, "", ""),
        ("Go back", "This reverts the change of #9", False, None, "", ""),
        ("Go back", "Irreverts #9", False, None, "", ""),
        ("Go back", "This change reverts nothing", False, None, "", ""),
    ],
)
def test_it_tells_reverts_and_what_they_undo(title, body, is_revert, number, sha, quoted):
    derived = derive(pull_request(title=title, body=body))
    found = (derived.is_revert, derived.reverts_number, derived.reverts_sha, derived.reverts_title)
    assert found == (is_revert, number, sha, quoted)


def test_it_takes_the_number_where_its_own_repository_is_not_known():
    assert derive(pull_request(body="Reverts other/place#12", url="")).reverts_number == 12


@pytest.mark.parametrize(
    ("title", "labels", "branch", "is_hotfix"),
    [
        ("Hotfix: retry webhooks", [], "x", True),
        ("HOT-FIX retries", [], "x", True),
        ("A hot fix for retries", [], "x", True),
        ("[hotfix] retries", [], "x", True),
        ("Retries", ["bug", "type: hotfix"], "x", True),
        ("Retries", ["priority/hot-fix"], "x", True),
        ("Retries", ["hotfix_1.2"], "x", True),
        ("Retries", [], "hotfix/retries", True),
        ("Retries", [], "HotFix-12", True),
        ("Hotfixes explained", [], "x", False),
        ("Hotfix2", [], "x", False),
        ("Shotfix", [], "x", False),
        ("A hot  fix", [], "x", False),
        ("Hot, fix it", [], "x", False),
        ("Retries", ["bugfix"], "fix/hotfix", False),
        ("Retries", [], "hotfixes", False),
        ("Retries", [], "my-hotfix-12", False),
    ],
)
def test_it_tells_hotfixes_by_title_label_and_branch(title, labels, branch, is_hotfix):
    pr = pull_request(title=title, labels=tuple(LabelRecord(label) for label in labels), head_ref=branch)
    assert derive(pr).is_hotfix is is_hotfix
