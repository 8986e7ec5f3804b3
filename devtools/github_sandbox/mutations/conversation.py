"""Comments and labels."""

from __future__ import annotations

from devtools.github_sandbox.entities import Comment, Label, PullRequest
from devtools.github_sandbox.mutations.change import Change, Json, UnknownTarget, action
from devtools.github_sandbox.world import Repository


@action("comment")
def comment(change: Change) -> Json:
    pull, person = change.pull, change.person()
    number, node = change.new("IC", pull.repository)
    now = change.touch(pull)
    made = Comment(number, node, person, change.request.get("body") or "Thank you.", now, now, pull, "MEMBER")
    pull.comments.append(made)
    pull.stated.pop("comments", None)
    pull.repository.contents.nodes[node] = made
    return _told(change, pull, made, "created")


@action("edit_comment")
def edit_comment(change: Change) -> Json:
    """`id` or the last; `body`."""
    pull = change.pull
    found: Comment = change.chosen(pull.comments, "comment")
    found.body = change.request.get("body") or f"{found.body} (edited)"
    found.updated_at = change.touch(pull)
    return _told(change, pull, found, "edited")


@action("delete_comment")
def delete_comment(change: Change) -> Json:
    """`id` or the last one."""
    pull = change.pull
    found: Comment = change.chosen(pull.comments, "comment")
    pull.comments.remove(found)
    pull.repository.contents.nodes.pop(found.id, None)
    pull.stated.pop("comments", None)
    change.touch(pull)
    return _told(change, pull, found, "deleted")


def _told(change: Change, pull: PullRequest, made: Comment, word: str) -> Json:
    told = change.emit(pull.repository, "issue_comment", lambda: change.payloads.issue_comment(made, word))
    return {"number": pull.number, "id": made.database_id, "node_id": made.id, "delivered": told}


@action("label")
def label(change: Change) -> Json:
    """`name`; a label that the repository does not have yet is made."""
    pull = change.pull
    name = str(change.request.get("name") or "bug")
    found = pull.repository.contents.labels.get(name) or _new_label(change, pull.repository, name)
    change.touch(pull)
    if found not in pull.labels:
        pull.labels.append(found)
        change.event(pull, "LabeledEvent", "labeled", change.person(), label=found)
    return change.tell(pull, "labeled", label=change.payloads.shapes.label(found))


def _new_label(change: Change, repository: Repository, name: str) -> Label:
    number, node = change.new("LA", repository)
    made = Label(number, node, name, "ededed", repository, created_at=change.now, updated_at=change.now)
    repository.contents.labels[name] = made
    repository.contents.nodes[node] = made
    return made


@action("unlabel")
def unlabel(change: Change) -> Json:
    """`name`, or the last one."""
    pull = change.pull
    name = change.request.get("name")
    found = [each for each in pull.labels if name in (None, each.name)]
    if not found:
        raise UnknownTarget(f"no label {name or ''} on {pull.number}")
    pull.labels.remove(found[-1])
    change.touch(pull)
    if not change.silent:
        change.event(pull, "UnlabeledEvent", "unlabeled", change.person(), label=found[-1])
    return change.tell(pull, "unlabeled", label=change.payloads.shapes.label(found[-1]))
