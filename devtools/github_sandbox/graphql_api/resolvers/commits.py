"""Commits and the people git names."""

from __future__ import annotations

from typing import Literal, NamedTuple

from devtools.github_sandbox.entities import Account, Commit
from devtools.github_sandbox.graphql_api.connections import Page, page_of
from devtools.github_sandbox.graphql_api.registry import Call, resolves
from devtools.github_sandbox.ids import node_id
from devtools.github_sandbox.world import Repository


class GitActor(NamedTuple):
    commit: Commit
    role: Literal["author", "committer"]


def commit_for(repository: Repository, oid: str, moment: str) -> Commit:
    """The commit, or what GitHub still knows of one that no pull request holds any more (it was force-pushed over)."""
    known = repository.contents.commits.get(oid)
    if known is not None:
        return known
    number = int(oid[:15], 16) if oid[:15].isalnum() else 0
    node = node_id("C", repository.database_id, number)
    return Commit(oid, node, repository, "", moment, moment, "", "", "GitHub", "noreply@github.com")


@resolves("Commit", "abbreviatedOid")
def abbreviated(commit: Commit, _call: Call) -> str:
    return commit.oid[:7]


@resolves("Commit", "additions")
def additions(commit: Commit, _call: Call) -> int:
    return commit.additions or 0


@resolves("Commit", "deletions")
def deletions(commit: Commit, _call: Call) -> int:
    return commit.deletions or 0


@resolves("Commit", "changedFiles")
def changed_files(commit: Commit, _call: Call) -> int:
    return commit.changed_files or 0


@resolves("Commit", "changedFilesIfAvailable")
def changed_files_if_available(commit: Commit, _call: Call) -> int | None:
    return commit.changed_files


@resolves("Commit", "author")
def author(commit: Commit, _call: Call) -> GitActor:
    return GitActor(commit, "author")


@resolves("Commit", "committer")
def committer(commit: Commit, _call: Call) -> GitActor:
    return GitActor(commit, "committer")


@resolves("Commit", "authors")
def authors(commit: Commit, call: Call) -> Page:
    return page_of([GitActor(commit, "author")], call.arguments)


@resolves("Commit", "authoredByCommitter")
def authored_by_committer(commit: Commit, _call: Call) -> bool:
    return commit.author_email == commit.committer_email


@resolves("Commit", "committedViaWeb")
def committed_via_web(commit: Commit, _call: Call) -> bool:
    return commit.committer_email == "noreply@github.com"


@resolves("Commit", "messageHeadline")
def headline(commit: Commit, _call: Call) -> str:
    return commit.message.partition("\n")[0]


@resolves("Commit", "messageBody")
def message_body(commit: Commit, _call: Call) -> str:
    return commit.message.partition("\n")[2].strip()


@resolves("Commit", "resourcePath")
def commit_path(commit: Commit, _call: Call) -> str:
    return f"/{commit.repository.full_name}/commit/{commit.oid}"


@resolves("Commit", "url", "commitUrl")
def commit_url(commit: Commit, call: Call) -> str:
    return call.context.web_url + commit_path(commit, call)


@resolves("Commit", "associatedPullRequests")
def associated_pulls(commit: Commit, call: Call) -> Page:
    rows = commit.repository.contents.pulls_with(commit.oid)
    order = call.arguments.get("orderBy")
    return page_of(rows[::-1] if order and order["direction"] == "DESC" else rows, call.arguments)


@resolves("GitActor", "name")
def git_name(actor: GitActor, _call: Call) -> str:
    return actor.commit.author_name if actor.role == "author" else actor.commit.committer_name


@resolves("GitActor", "email")
def git_email(actor: GitActor, _call: Call) -> str:
    return actor.commit.author_email if actor.role == "author" else actor.commit.committer_email


@resolves("GitActor", "date")
def git_date(actor: GitActor, _call: Call) -> str:
    return actor.commit.authored_date if actor.role == "author" else actor.commit.committed_date


@resolves("GitActor", "user")
def git_user(actor: GitActor, _call: Call) -> Account | None:
    account = actor.commit.author_user if actor.role == "author" else actor.commit.committer_user
    return account if account is not None and account.typename == "User" else None


@resolves("GitActor", "avatarUrl")
def git_avatar(actor: GitActor, call: Call) -> str:
    account = git_user(actor, call)
    return f"{call.context.web_url}/avatars/{account.database_id if account else 0}"
