"""Bringing a repository's pull requests here: start a run, advance it page by page, resume it, stop it.

A run: `runs` is its life (fence, heartbeat, end), `turns` whose turn it is, `engine` the loop, `steps/` what it asks
GitHub, `ahead` the thread that asks before the answer is needed, `pages` how a page becomes rows, `coverage` what is
stored in the end. When something goes wrong: `trouble`, `resting` with a broken connection, `permissions`, `following`
of new names, `reaper`. Over REST: `rest_way` what GraphQL does not give, `part_refresh` a single part of one pull
request. Many repositories at once: `looks/` at what is new, of those that are `due`; `reconciliation/` by night.
"""

from apps.integrations.services.github_sync.due import ask_for_looks, nobody_waits_for
from apps.integrations.services.github_sync.engine import Outcome, advance, sync_repository_history
from apps.integrations.services.github_sync.looks import Look, look
from apps.integrations.services.github_sync.part_refresh import (
    sync_pr_check_runs,
    sync_pr_commits,
    sync_pr_files,
    sync_pr_issue_comments,
    sync_pr_review_comments,
)
from apps.integrations.services.github_sync.reaper import is_quiet, reap_team
from apps.integrations.services.github_sync.runs import (
    Handle,
    SyncBusy,
    begin_asked,
    begin_found,
    begin_run,
    cancel_runs,
    handle_of,
    is_covered,
    pause_by_person,
    resume,
)
from apps.integrations.services.github_sync.turns import connections_in_waiting, next_turns

__all__ = (
    "Handle",
    "Look",
    "Outcome",
    "SyncBusy",
    "advance",
    "ask_for_looks",
    "begin_asked",
    "begin_found",
    "begin_run",
    "cancel_runs",
    "connections_in_waiting",
    "handle_of",
    "is_covered",
    "is_quiet",
    "look",
    "next_turns",
    "nobody_waits_for",
    "pause_by_person",
    "reap_team",
    "resume",
    "sync_pr_check_runs",
    "sync_pr_commits",
    "sync_pr_files",
    "sync_pr_issue_comments",
    "sync_pr_review_comments",
    "sync_repository_history",
)
