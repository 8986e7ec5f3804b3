"""Recorded pull requests: folders of REST objects, `<owner>/<repo>/{repo.json,pulls.jsonl,…}`, as a world.

A missing file means that nothing of the kind was recorded, a missing key null, a missing `user` a deleted account.
"""

from __future__ import annotations

import gzip
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from devtools.github_sandbox.entities import (
    Account,
    ChangedFile,
    Comment,
    Commit,
    Issue,
    Label,
    Milestone,
    PullRequest,
    Team,
)
from devtools.github_sandbox.ids import node_id
from devtools.github_sandbox.recorded.checks import load_checks, load_deployments
from devtools.github_sandbox.recorded.events import load_events
from devtools.github_sandbox.recorded.reviews import load_reviews
from devtools.github_sandbox.world import Repository, World

CLOSES = re.compile(r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+#(\d+)\b", re.IGNORECASE)
CHANGE_TYPES = {"removed": "DELETED", "added": "ADDED", "modified": "MODIFIED", "renamed": "RENAMED"}
CHANGE_TYPES |= {"copied": "COPIED", "changed": "CHANGED", "unchanged": "CHANGED"}
Rows = dict[int, list[dict[str, Any]]]


def load_recorded(world: World, folder: Path) -> list[Repository]:
    """Adds every `<owner>/<repo>` below `folder`, `folder`/github, or `folder` itself if it holds a repo.json."""
    found = sorted(folder.rglob("repo.json"))
    return [RecordedRepository(world, path.parent).load() for path in found]


def read_lines(folder: Path, kind: str) -> Iterator[dict[str, Any]]:
    """The objects of one kind: `kind.jsonl`, gzipped or not, or its variant `kind.from_git.jsonl`."""
    for name in (kind, f"{kind}.from_git"):
        plain, packed = folder / f"{name}.jsonl", folder / f"{name}.jsonl.gz"
        if plain.exists():
            lines: list[bytes] = plain.read_bytes().splitlines()
        elif packed.exists():
            lines = gzip.decompress(packed.read_bytes()).split(b"\n")
        else:
            continue
        yield from (orjson.loads(line) for line in lines if line.strip())
        return


class RecordedRepository:
    """Loads one folder. What several loaders share (accounts, labels, commits) is found through it."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.folder = folder
        self.repository = self._repository(orjson.loads((folder / "repo.json").read_bytes()))
        self.contents = self.repository.contents

    def load(self) -> Repository:
        for data in read_lines(self.folder, "issues"):
            if "pull_request" not in data:
                self._issue(data)
        for data in read_lines(self.folder, "pulls"):
            self._pull(data)
        for number, rows in self.by_pull("commits").items():
            self._commits(self.contents.pulls[number], rows)
        for number, rows in self.by_pull("files").items():
            self.contents.pulls[number].files = [changed_file(row) for row in rows]
        for number, rows in self.by_pull("issue_comments").items():
            pull = self.contents.pulls[number]
            pull.comments = sorted((self._comment(row, pull) for row in rows), key=lambda each: each.created_at)
            self.remember(pull.comments)
        load_reviews(self)
        load_events(self)
        load_checks(self)
        load_deployments(self)
        return self.repository

    def lines(self, kind: str) -> list[dict[str, Any]]:
        return list(read_lines(self.folder, kind))

    def by_pull(self, kind: str) -> Rows:
        """The recorded objects of a kind by pull request; without those whose pull request was not recorded."""
        rows: Rows = defaultdict(list)
        for line in read_lines(self.folder, kind):
            if line["pr"] in self.contents.pulls:
                rows[line["pr"]].append(line["data"])
        return rows

    def remember(self, entities: list[Any]) -> None:
        for entity in entities:
            self.contents.nodes[entity.id] = entity

    def account(self, data: dict[str, Any] | None) -> Account | None:
        if not data or data.get("login") in (None, "ghost"):
            return None
        kind = data.get("type") or "User"
        return self.world.add_account(kind, data["id"], data["login"], data.get("node_id"), name=data.get("name"))

    def _repository(self, data: dict[str, Any], listed: bool = True) -> Repository:
        known = self.world.repositories.get(data["id"])
        if known is not None:
            return known
        owner = self.account(data.get("owner"))
        if owner is None:
            owner = self.world.add_account("User", 10_137, "ghost")
        repository = Repository(
            database_id=data["id"],
            id=data.get("node_id") or node_id("R", 0, data["id"]),
            owner=owner,
            name=data["name"],
            default_branch=data.get("default_branch") or "main",
            is_private=bool(data.get("private")),
            is_fork=bool(data.get("fork")),
            is_archived=bool(data.get("archived")),
            description=data.get("description"),
            language=data.get("language"),
            created_at=data.get("created_at") or "2010-01-01T00:00:00Z",
            updated_at=data.get("updated_at") or "2010-01-01T00:00:00Z",
            pushed_at=data.get("pushed_at"),
        )
        return self.world.add_repository(repository, listed)

    def label(self, data: dict[str, Any]) -> Label:
        known = self.contents.labels.get(data["name"])
        if known is None:
            number = data.get("id") or self.world.new_id()
            known = Label(
                number,
                data.get("node_id") or node_id("LA", self.repository.database_id, number),
                data["name"],
                data.get("color") or "ededed",
                self.repository,
                data.get("description"),
                bool(data.get("default")),
                self.repository.created_at,
                self.repository.updated_at,
            )
            self.contents.labels[known.name] = known
            self.remember([known])
        return known

    def _milestone(self, data: dict[str, Any] | None) -> Milestone | None:
        if not data:
            return None
        known = self.contents.milestones.get(data["number"])
        if known is None:
            known = Milestone(
                database_id=data["id"],
                id=data["node_id"],
                number=data["number"],
                title=data["title"],
                state=data["state"].upper(),
                created_at=data["created_at"],
                updated_at=data["updated_at"],
                repository=self.repository,
                description=data.get("description"),
                creator=self.account(data.get("creator")),
                due_on=data.get("due_on"),
                closed_at=data.get("closed_at"),
            )
            self.contents.milestones[known.number] = known
            self.remember([known])
        return known

    def _accounts(self, rows: list[dict[str, Any]]) -> list[Account]:
        return [account for row in rows if (account := self.account(row)) is not None]

    def _issue(self, data: dict[str, Any]) -> None:
        issue = Issue(
            database_id=data["id"],
            id=data["node_id"],
            number=data["number"],
            repository=self.repository,
            title=data["title"],
            body=data.get("body") or "",
            author=self.account(data.get("user")),
            state=data["state"].upper(),
            created_at=data["created_at"],
            updated_at=data["updated_at"],
            closed_at=data.get("closed_at"),
            state_reason=(data.get("state_reason") or "").upper() or None,
            locked=bool(data.get("locked")),
            author_association=data.get("author_association") or "NONE",
            milestone=self._milestone(data.get("milestone")),
            labels=[self.label(row) for row in data.get("labels") or ()],
            assignees=self._accounts(data.get("assignees") or []),
        )
        self.contents.issues[issue.number] = issue
        self.remember([issue])

    def _pull(self, data: dict[str, Any]) -> None:
        head, base = data["head"], data["base"]
        body = data.get("body") or ""
        merged_at = data.get("merged_at")  # `merged` itself is absent on some
        pull = PullRequest(
            database_id=data["id"],
            id=data["node_id"],
            number=data["number"],
            repository=self.repository,
            title=data["title"],
            body=body,
            author=self.account(data.get("user")),
            state="MERGED" if merged_at else data["state"].upper(),
            created_at=data["created_at"],
            updated_at=data["updated_at"],
            base_ref_name=base["ref"],
            base_ref_oid=base["sha"],
            head_ref_name=head["ref"],
            head_ref_oid=head["sha"],
            head_repository=self._repository(head["repo"], listed=False) if head.get("repo") else None,
            is_draft=bool(data.get("draft")),
            locked=bool(data.get("locked")),
            active_lock_reason=(data.get("active_lock_reason") or "").upper().replace("-", "_") or None,
            closed_at=data.get("closed_at"),
            merged_at=merged_at,
            merged_by=self.account(data.get("merged_by")),
            merge_commit_oid=data.get("merge_commit_sha"),
            additions=data.get("additions") or 0,
            deletions=data.get("deletions") or 0,
            changed_files=data.get("changed_files") or 0,
            author_association=data.get("author_association") or "NONE",
            maintainer_can_modify=bool(data.get("maintainer_can_modify")),
            milestone=self._milestone(data.get("milestone")),
            labels=[self.label(row) for row in data.get("labels") or ()],
            assignees=self._accounts(data.get("assignees") or []),
            requested_reviewers=[*self._accounts(data.get("requested_reviewers") or [])],
            stated={key: data[key] for key in ("commits", "comments", "review_comments") if key in data},
        )
        pull.requested_reviewers += [self.team(row) for row in data.get("requested_teams") or ()]
        numbers = dict.fromkeys(int(number) for number in CLOSES.findall(body))
        issues = self.contents.issues
        pull.closing_issues = [issues[number] for number in numbers if number in issues]
        self.contents.add_pull(pull)

    def team(self, data: dict[str, Any]) -> Team:
        owner = self.repository.owner
        known = next((team for team in owner.teams if team.database_id == data["id"]), None)
        if known is None:
            known = Team(data["id"], data["node_id"], owner, data["slug"], data["name"], [])
            owner.teams.append(known)
            self.world.add_node(known)
        return known

    def _comment(self, data: dict[str, Any], pull: PullRequest) -> Comment:
        return Comment(
            database_id=data["id"],
            id=data["node_id"],
            author=self.account(data.get("user")),
            body=data.get("body") or "",
            created_at=data["created_at"],
            updated_at=data.get("updated_at") or data["created_at"],
            parent=pull,
            author_association=data.get("author_association") or "NONE",
        )

    def _commits(self, pull: PullRequest, rows: list[dict[str, Any]]) -> None:
        pull.commits = [self._commit(row) for row in rows]
        if len(rows) == 1 and pull.stated.get("commits") == 1:  # its size is the pull request's
            only = pull.commits[0]
            only.additions, only.deletions, only.changed_files = pull.additions, pull.deletions, pull.changed_files

    def _commit(self, data: dict[str, Any]) -> Commit:
        known = self.contents.commits.get(data["sha"])
        if known is not None:
            return known
        author, committer, stats = data["commit"]["author"], data["commit"]["committer"], data.get("stats") or {}
        commit = Commit(
            oid=data["sha"],
            id=data["node_id"],
            repository=self.repository,
            message=data["commit"]["message"],
            authored_date=author["date"],
            committed_date=committer["date"],
            author_name=author.get("name") or "",
            author_email=author.get("email") or "",
            committer_name=committer.get("name") or "",
            committer_email=committer.get("email") or "",
            author_user=self.account(data.get("author")),
            committer_user=self.account(data.get("committer")),
            additions=stats.get("additions"),
            deletions=stats.get("deletions"),
            changed_files=len(data["files"]) if "files" in data else None,
        )
        self.contents.commits[commit.oid] = commit
        self.remember([commit])
        return commit


def changed_file(data: dict[str, Any]) -> ChangedFile:
    return ChangedFile(
        data["filename"],
        data["additions"],
        data["deletions"],
        CHANGE_TYPES[data["status"]],
        data.get("sha") or "",
        data.get("previous_filename"),
        data.get("patch"),
    )
