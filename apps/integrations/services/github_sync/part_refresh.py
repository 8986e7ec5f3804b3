"""One part of one stored pull request, fetched over REST with a given token and stored.

Each function speaks to GitHub, so never call it inside a team's scope; it enters the scope of `team` to read and write.
It answers how many rows of its part are stored of the pull request afterwards. When GitHub fails, `errors` gets a
sentence, the answer is 0, and what is stored stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from apps.integrations.github import lookups
from apps.integrations.github.access import StaticToken, TokenSource
from apps.integrations.github.errors import GitHubError, RepositoryGone
from apps.integrations.models import IntegrationCredential
from apps.integrations.services.budgets.shared import budgets_at
from apps.integrations.services.github_rate_limit import IntegrationTokens, Usable, budget_account
from apps.integrations.services.github_rest import rest_over
from apps.integrations.services.github_sync.rest_way import REST, SIZES, fill
from apps.metrics.models import PRCheckRun, PRComment, PRFile, PullRequest, PullRequestCommit
from apps.metrics.queries.stored_records import records_of
from apps.metrics.records import Part, PullRequestRecord
from apps.metrics.services.aggregate import aggregate_weeks
from apps.metrics.services.ingest import ingest_pull_requests
from apps.teams.models import Team
from apps.teams.scope import team_scope


def sync_pr_commits(
    pr: PullRequest, pr_number: int, access_token: str, repo_full_name: str, team: Team, errors: list[str]
) -> int:
    """Its commits; the sizes of those that are not known yet cost a request each."""
    return _refreshed(Part.COMMITS, pr, pr_number, access_token, repo_full_name, team, errors)


def sync_pr_files(
    pr: PullRequest, pr_number: int, access_token: str, repo_full_name: str, team: Team, errors: list[str]
) -> int:
    """Its files, and its sizes with them."""
    return _refreshed(Part.FILES, pr, pr_number, access_token, repo_full_name, team, errors)


def sync_pr_check_runs(
    pr: PullRequest, pr_number: int, access_token: str, repo_full_name: str, team: Team, errors: list[str]
) -> int:
    """The check runs and status contexts of its stored head commit."""
    return _refreshed(Part.CHECKS, pr, pr_number, access_token, repo_full_name, team, errors)


def sync_pr_issue_comments(
    pr: PullRequest, pr_number: int, access_token: str, repo_full_name: str, team: Team, errors: list[str]
) -> int:
    """The comments of its conversation."""
    return _refreshed(Part.ISSUE_COMMENTS, pr, pr_number, access_token, repo_full_name, team, errors)


def sync_pr_review_comments(
    pr: PullRequest, pr_number: int, access_token: str, repo_full_name: str, team: Team, errors: list[str]
) -> int:
    """The comments on its diff. REST does not say in which thread they are: what is known of that is kept."""
    return _refreshed(Part.REVIEW_COMMENTS, pr, pr_number, access_token, repo_full_name, team, errors)


def _refreshed(
    part: Part,
    pr: PullRequest,
    pr_number: int,
    access_token: str,
    repo_full_name: str,
    team: Team,
    errors: list[str],
) -> int:
    what = f"{part.value.replace('_', ' ').capitalize()} of {repo_full_name}#{pr_number} could not be fetched"
    with team_scope(team.pk):
        row = PullRequest.objects.select_related("repository", "milestone").get(pk=pr.pk)
        if row.number != pr_number:
            errors.append(f"{what}: the stored pull request is #{row.number}.")
            return 0
        open_record = _with_open(part, records_of(row.repository, [row])[row.pk])
        tokens = _tokens(access_token)
    rest = rest_over(tokens)
    try:
        if lookups.get_repository(rest, repo_full_name).id != row.repository.github_repo_id:
            raise RepositoryGone(repo_full_name)  # another one bears the name by now
        learned = fill(rest, repo_full_name, open_record, [part])
    except GitHubError as error:
        errors.append(f"{what}: {str(error).removesuffix('.')}.")
        return 0
    finally:
        rest.close()
    if part in learned.partial:
        errors.append(f"{what}: {learned.partial[part].removeprefix(REST)}.")
        return 0
    with team_scope(team.pk):
        ingested = ingest_pull_requests(row.repository, [learned], synced_at=timezone.now())
        stored = _STORED[part](row).count()
    if ingested.touched_weeks:
        aggregate_weeks(team.pk, ingested.touched_weeks)
    return stored


def _with_open(part: Part, stored: PullRequestRecord) -> PullRequestRecord:
    """The pull request as it is stored, of which nothing but `part` is told, and that not yet.

    Its commits stay for their sizes. The number of its files is asked anew: that of the record may be older than they.
    """
    told: dict[str, Any] = {each.value: None for each in Part}
    if part is Part.COMMITS:
        told["commits"] = stored.commits
    if part is Part.FILES and stored.changed_files:
        told |= dict.fromkeys(SIZES)
    return replace(stored, **told, totals={}, partial={part.value: ""}, capped={})


def _tokens(access_token: str) -> TokenSource:
    """The token on the account of the credential that it belongs to, if it is one of the current team's."""
    credentials = IntegrationCredential.objects.filter(is_valid=True)
    mine = next((each for each in credentials if each.access_token == access_token), None)
    if mine is None:
        return StaticToken(access_token)
    usable = Usable(budget_account(mine.github_user_id), access_token, mine.pk)
    return IntegrationTokens([usable], budgets_at(settings.REDIS_URL))


def _comments(kind: str) -> Callable[[PullRequest], QuerySet[Any]]:
    return lambda row: PRComment.objects.filter(pull_request=row, comment_type=kind, gone_at=None)


_STORED: dict[Part, Callable[[PullRequest], QuerySet[Any]]] = {
    Part.COMMITS: lambda row: PullRequestCommit.objects.filter(pull_request=row, gone_at=None),
    Part.FILES: lambda row: PRFile.objects.filter(pull_request=row, gone_at=None),
    Part.CHECKS: lambda row: PRCheckRun.objects.filter(repository=row.repository, head_sha=row.head_sha, gone_at=None),
    Part.ISSUE_COMMENTS: _comments(PRComment.Type.ISSUE),
    Part.REVIEW_COMMENTS: _comments(PRComment.Type.REVIEW),
}
