"""Pull requests: everything but reviews, checks and the timeline."""

from __future__ import annotations

from typing import NamedTuple

from devtools.github_sandbox.entities import Account, ChangedFile, Commit, PullRequest, Team
from devtools.github_sandbox.graphql_api.connections import Page, page_of
from devtools.github_sandbox.graphql_api.registry import Call, resolves
from devtools.github_sandbox.graphql_api.resolvers.commits import commit_for
from devtools.github_sandbox.ids import node_id
from devtools.github_sandbox.world import Repository

MAX_COMMITS = 250
MAX_FILES = 3_000
"""What the API yields of one pull request, whatever it counts."""


class PullCommit(NamedTuple):
    pull_request: PullRequest
    commit: Commit
    typename: str = "PullRequestCommit"


class ReviewRequest(NamedTuple):
    pull_request: PullRequest
    requested_reviewer: Account | Team


@resolves("PullRequest", "resourcePath")
def pull_path(pull: PullRequest, _call: Call) -> str:
    return f"/{pull.repository.full_name}/pull/{pull.number}"


@resolves("PullRequest", "url", "permalink")
def pull_url(pull: PullRequest, call: Call) -> str:
    return call.context.web_url + pull_path(pull, call)


@resolves("PullRequest", "merged")
def merged(pull: PullRequest, _call: Call) -> bool:
    return pull.state == "MERGED"


@resolves("PullRequest", "mergeable")
def mergeable(pull: PullRequest, _call: Call) -> str:
    return "MERGEABLE" if pull.state == "OPEN" else "UNKNOWN"


@resolves("PullRequest", "mergeCommit")
def merge_commit(pull: PullRequest, _call: Call) -> Commit | None:
    if pull.merged_at is None or pull.merge_commit_oid is None:
        return None
    return commit_for(pull.repository, pull.merge_commit_oid, pull.merged_at)


@resolves("PullRequest", "baseRepository")
def base_repository(pull: PullRequest, _call: Call) -> Repository:
    return pull.repository


@resolves("PullRequest", "headRepositoryOwner")
def head_owner(pull: PullRequest, _call: Call) -> Account | None:
    return pull.head_repository.owner if pull.head_repository else None


@resolves("PullRequest", "isCrossRepository")
def is_cross_repository(pull: PullRequest, _call: Call) -> bool:
    return pull.head_repository is not pull.repository


@resolves("PullRequest", "totalCommentsCount")
def total_comments(pull: PullRequest, _call: Call) -> int:
    inline = sum(len(thread.comments) for thread in pull.threads)
    return len(pull.comments) + pull.stated.get("review_comments", inline)


@resolves("PullRequest", "autoMergeRequest")
def auto_merge(pull: PullRequest, _call: Call) -> PullRequest | None:
    return pull if pull.auto_merge else None


@resolves("AutoMergeRequest", "commitHeadline", "commitBody", "authorEmail")
def auto_merge_part(_pull: PullRequest, _call: Call) -> None:
    return None


@resolves("AutoMergeRequest", "enabledAt")
def auto_merge_at(pull: PullRequest, _call: Call) -> str | None:
    return pull.auto_merge["enabled_at"] if pull.auto_merge else None


@resolves("AutoMergeRequest", "enabledBy")
def auto_merge_by(pull: PullRequest, _call: Call) -> Account | None:
    return pull.auto_merge["enabled_by"] if pull.auto_merge else None


@resolves("AutoMergeRequest", "mergeMethod")
def auto_merge_method(_pull: PullRequest, _call: Call) -> str:
    return "SQUASH"


@resolves("AutoMergeRequest", "pullRequest")
def auto_merge_pull(pull: PullRequest, _call: Call) -> PullRequest:
    return pull


@resolves("PullRequest", "commits")
def commits(pull: PullRequest, call: Call) -> Page:
    total = max(pull.stated.get("commits", 0), len(pull.commits))
    page = page_of(pull.commits[:MAX_COMMITS], call.arguments, total)
    page.nodes = [PullCommit(pull, commit) for commit in page.nodes]
    return page


@resolves("PullRequestCommit", "id")
def pull_commit_id(item: PullCommit, _call: Call) -> str:
    return f"{node_id('PURC', 0, item.pull_request.database_id)}{item.commit.oid}"


@resolves("PullRequestCommit", "resourcePath")
def pull_commit_path(item: PullCommit, call: Call) -> str:
    return f"{pull_path(item.pull_request, call)}/commits/{item.commit.oid}"


@resolves("PullRequestCommit", "url")
def pull_commit_url(item: PullCommit, call: Call) -> str:
    return call.context.web_url + pull_commit_path(item, call)


@resolves("PullRequest", "files")
def files(pull: PullRequest, call: Call) -> Page | None:
    if pull.files is None or pull.diff_unavailable:
        return None
    return page_of(pull.files[:MAX_FILES], call.arguments, max(pull.changed_files, len(pull.files)))


@resolves("PullRequest", "changedFiles")
def changed_files(pull: PullRequest, _call: Call) -> int:
    return 0 if pull.diff_unavailable else pull.changed_files


@resolves("PullRequest", "additions")
def additions(pull: PullRequest, _call: Call) -> int:
    return 0 if pull.diff_unavailable else pull.additions


@resolves("PullRequest", "deletions")
def deletions(pull: PullRequest, _call: Call) -> int:
    return 0 if pull.diff_unavailable else pull.deletions


@resolves("PullRequestChangedFile", "viewerViewedState")
def viewed_state(_file: ChangedFile, _call: Call) -> str:
    return "UNVIEWED"


@resolves("PullRequest", "closingIssuesReferences")
def closing_issues(pull: PullRequest, call: Call) -> Page:
    return page_of(pull.closing_issues, call.arguments)


@resolves("PullRequest", "reviewRequests")
def review_requests(pull: PullRequest, call: Call) -> Page:
    return page_of([ReviewRequest(pull, reviewer) for reviewer in pull.requested_reviewers], call.arguments)


@resolves("ReviewRequest", "id")
def review_request_id(request: ReviewRequest, _call: Call) -> str:
    return f"{node_id('RR', 0, request.pull_request.database_id)}{request.requested_reviewer.database_id}"


@resolves("ReviewRequest", "databaseId")
def review_request_database_id(request: ReviewRequest, _call: Call) -> int:
    return request.pull_request.database_id + request.requested_reviewer.database_id % 1_000


@resolves("ReviewRequest", "asCodeOwner")
def as_code_owner(_request: ReviewRequest, _call: Call) -> bool:
    return False
