"""What becomes of a pull request: opened, changed, pushed to, merged, closed."""

from __future__ import annotations

import hashlib

from devtools.github_sandbox.entities import Account, Commit, PullRequest
from devtools.github_sandbox.ids import node_id
from devtools.github_sandbox.mutations.change import Change, Json, action

ADDED, REMOVED = 12, 3
"""Lines of each commit pushed here."""


@action("open")
def open_pull(change: Change) -> Json:
    repository, request = change.repository, change.request
    contents = repository.contents
    number = max([*contents.pulls, *contents.issues, contents.last_number], default=0) + 1
    contents.last_number = number
    author = change.person()
    database_id, node = change.new("PR", repository)
    pull = PullRequest(
        database_id=database_id,
        id=node,
        number=number,
        repository=repository,
        title=request.get("title") or f"Change number {number}",
        body=request.get("body") or "",
        author=author,
        state="OPEN",
        created_at=change.now,
        updated_at=change.now,
        base_ref_name=repository.default_branch,
        base_ref_oid=hashlib.sha1(f"{repository.full_name} base".encode()).hexdigest(),
        head_ref_name=request.get("branch") or f"change-{number}",
        head_ref_oid="",
        head_repository=repository,
        is_draft=bool(request.get("draft")),
        author_association="MEMBER",
    )
    _commit(change, pull, author, pull.title)
    contents.add_pull(pull)
    return change.tell(pull, "opened")


def _commit(change: Change, pull: PullRequest, author: Account, message: str) -> Commit:
    repository, now = pull.repository, change.now
    oid = hashlib.sha1(f"{pull.id} {len(pull.commits)} {change.world.new_id()}".encode()).hexdigest()
    name, email = author.name or author.login, author.email or f"{author.login}@users.noreply.github.com"
    commit = Commit(
        oid=oid,
        id=node_id("C", repository.database_id, change.world.new_id()),
        repository=repository,
        message=message,
        authored_date=now,
        committed_date=now,
        author_name=name,
        author_email=email,
        committer_name=name,
        committer_email=email,
        author_user=author,
        committer_user=author,
        additions=ADDED,
        deletions=REMOVED,
        changed_files=1,
    )
    repository.contents.commits[oid] = commit
    repository.contents.nodes[commit.id] = commit
    pull.commits.append(commit)
    pull.head_ref_oid = oid
    repository.contents.changed()
    pull.stated.pop("commits", None)
    pull.additions += ADDED
    pull.deletions += REMOVED
    return commit


@action("merge")
def merge(change: Change) -> Json:
    pull, person = change.pull, change.person()
    now = change.touch(pull)
    pull.state, pull.merged_at, pull.closed_at, pull.merged_by = "MERGED", now, now, person
    pull.merge_commit_oid = hashlib.sha1(f"merge {pull.id}".encode()).hexdigest()
    pull.repository.contents.changed()
    oid, ref = pull.merge_commit_oid, pull.base_ref_name
    change.event(pull, "MergedEvent", "merged", person, commit_oid=oid, merge_ref_name=ref)
    change.event(pull, "ClosedEvent", "closed", person)
    return change.tell(pull, "closed", person)


@action("close")
def close(change: Change) -> Json:
    pull, person = change.pull, change.person()
    pull.state, pull.closed_at = "CLOSED", change.touch(pull)
    pull.repository.contents.changed()
    change.event(pull, "ClosedEvent", "closed", person)
    return change.tell(pull, "closed", person)


@action("reopen")
def reopen(change: Change) -> Json:
    pull, person = change.pull, change.person()
    change.touch(pull)
    pull.state, pull.closed_at = "OPEN", None
    pull.repository.contents.changed()
    change.event(pull, "ReopenedEvent", "reopened", person)
    return change.tell(pull, "reopened", person)


@action("ready_for_review")
def ready_for_review(change: Change) -> Json:
    pull = change.pull
    change.touch(pull)
    pull.is_draft = False
    change.event(pull, "ReadyForReviewEvent", "ready_for_review", pull.author)
    return change.tell(pull, "ready_for_review")


@action("convert_to_draft")
def convert_to_draft(change: Change) -> Json:
    pull = change.pull
    change.touch(pull)
    pull.is_draft = True
    change.event(pull, "ConvertToDraftEvent", "convert_to_draft", pull.author)
    return change.tell(pull, "converted_to_draft")


@action("edit")
def edit(change: Change) -> Json:
    """`title`, `body`."""
    pull, request = change.pull, change.request
    changes = {key: {"from": getattr(pull, key)} for key in ("title", "body") if key in request}
    change.touch(pull)
    if "title" in changes:
        change.event(
            pull,
            "RenamedTitleEvent",
            "renamed",
            pull.author,
            previous_title=pull.title,
            current_title=request["title"],
        )
    pull.title, pull.body = request.get("title", pull.title), request.get("body", pull.body)
    return change.tell(pull, "edited", changes=changes)


@action("push")
def push(change: Change) -> Json:
    """A commit on top. With `force` it replaces the last `drop` commits (1), which no pull request holds then."""
    pull, person = change.pull, change.person()
    forced, before = bool(change.request.get("force")), pull.head_ref_oid
    if forced:
        drop = min(int(change.request.get("drop", 1)), len(pull.commits))
        del pull.commits[len(pull.commits) - drop :]
    commit = _commit(change, pull, person, change.request.get("title") or "Address review")
    change.touch(pull)
    pull.repository.pushed_at = change.now
    if forced:
        change.event(
            pull,
            "HeadRefForcePushedEvent",
            "head_ref_force_pushed",
            person,
            before_oid=before,
            after_oid=commit.oid,
        )
    told = change.emit(pull.repository, "push", lambda: change.payloads.push(pull, before, forced))
    answer = change.tell(pull, "synchronize", person, before=before, after=commit.oid)
    return answer | {"sha": commit.oid, "delivered": answer["delivered"] + told}


@action("diff_unavailable")
def diff_unavailable(change: Change) -> Json:
    """GraphQL gives up on the diff: `files` null, all sizes 0, no error. REST has it unless `rest` is false."""
    pull = change.pull
    pull.diff_unavailable = change.request.get("on", True)
    if change.request.get("rest") is False:
        pull.files = None
    return {"number": pull.number, "id": pull.database_id}
