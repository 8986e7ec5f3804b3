"""Reviews, their comments and threads."""

from __future__ import annotations

from devtools.github_sandbox.entities import PullRequest, Review, ReviewComment, ReviewThread
from devtools.github_sandbox.ids import node_id
from devtools.github_sandbox.mutations.change import Change, Json, UnknownTarget, action


@action("review")
def review(change: Change) -> Json:
    """`state`, `body`. A PENDING one is not sent yet: nobody is told."""
    pull, person = change.pull, change.person()
    state = str(change.request.get("state") or "APPROVED").upper()
    number, node = change.new("PRR", pull.repository)
    now = change.now if state == "PENDING" else change.touch(pull)
    body = change.request.get("body") or ""
    made = Review(number, node, person, state, body, now, now, now, pull, "MEMBER", pull.head_ref_oid)
    pull.reviews.append(made)
    pull.repository.contents.nodes[node] = made
    if state == "PENDING":
        made.submitted_at = None
        return {"number": pull.number, "id": number, "node_id": node, "delivered": 0}
    return _told(change, made, "submitted")


@action("dismiss")
def dismiss(change: Change) -> Json:
    """`id` or the last one that is not dismissed yet."""
    pull = change.pull
    open_ones = [each for each in pull.reviews if each.state not in ("DISMISSED", "PENDING")]
    found: Review = change.chosen(open_ones, "review")
    previous, found.state = found.state, "DISMISSED"
    found.updated_at = change.touch(pull)
    change.event(
        pull,
        "ReviewDismissedEvent",
        "review_dismissed",
        change.person(),
        previous_review_state=previous,
        review=found,
    )
    return _told(change, found, "dismissed")


@action("delete_review")
def delete_review(change: Change) -> Json:
    """`id` or the last one, with its comments: what happens to the reviews of an account that is spam."""
    pull = change.pull
    found: Review = change.chosen(pull.reviews, "review")
    pull.reviews.remove(found)
    pull.repository.contents.nodes.pop(found.id, None)
    for comment in list(found.comments):
        drop_comment(pull, comment)
    change.touch(pull)
    return {"number": pull.number, "id": found.database_id, "node_id": found.id, "delivered": 0}


def _told(change: Change, made: Review, word: str) -> Json:
    pull = made.pull_request
    told = change.emit(pull.repository, "pull_request_review", lambda: change.payloads.review(made, word))
    return {"number": pull.number, "id": made.database_id, "node_id": made.id, "delivered": told}


@action("review_comment")
def review_comment(change: Change) -> Json:
    """A comment in a thread of its own, or with `reply` true in the last thread."""
    pull, person = change.pull, change.person()
    number, node = change.new("PRRC", pull.repository)
    now = change.touch(pull)
    reply = bool(change.request.get("reply")) and bool(pull.threads)
    thread = pull.threads[-1] if reply else _thread(change, pull, number)
    body = change.request.get("body") or "Why?"
    made = ReviewComment(number, node, person, body, now, now, thread, thread.path, "MEMBER", line=1)
    made.commit_oid = made.original_commit_oid = pull.head_ref_oid
    made.reply_to = thread.comments[0] if thread.comments else None
    thread.comments.append(made)
    pull.stated.pop("review_comments", None)
    pull.repository.contents.nodes[node] = made
    return _comment_told(change, made, "created")


def _thread(change: Change, pull: PullRequest, number: int) -> ReviewThread:
    node = node_id("PRRT", pull.repository.database_id, number)
    thread = ReviewThread(node, pull, pull.files[0].path if pull.files else "README.md", line=1)
    pull.threads.append(thread)
    pull.repository.contents.nodes[node] = thread
    return thread


def _comments(pull: PullRequest) -> list[ReviewComment]:
    return [comment for thread in pull.threads for comment in thread.comments]


@action("edit_review_comment")
def edit_review_comment(change: Change) -> Json:
    """`id` or the last one; `body`."""
    pull = change.pull
    found: ReviewComment = change.chosen(_comments(pull), "review comment")
    found.body = change.request.get("body") or f"{found.body} (edited)"
    found.updated_at = change.touch(pull)
    return _comment_told(change, found, "edited")


@action("delete_review_comment")
def delete_review_comment(change: Change) -> Json:
    """`id` or the last one. A thread without comments is gone as well."""
    pull = change.pull
    found: ReviewComment = change.chosen(_comments(pull), "review comment")
    told = _comment_told(change, found, "deleted")
    drop_comment(pull, found)
    change.touch(pull)
    return told


def drop_comment(pull: PullRequest, comment: ReviewComment) -> None:
    thread, nodes = comment.thread, pull.repository.contents.nodes
    thread.comments.remove(comment)
    nodes.pop(comment.id, None)
    if comment.review is not None and comment in comment.review.comments:
        comment.review.comments.remove(comment)
    if not thread.comments:
        pull.threads.remove(thread)
        nodes.pop(thread.id, None)
    pull.stated.pop("review_comments", None)


def _comment_told(change: Change, made: ReviewComment, word: str) -> Json:
    pull = made.thread.pull_request
    told = change.emit(
        pull.repository, "pull_request_review_comment", lambda: change.payloads.review_comment(made, word)
    )
    return {"number": pull.number, "id": made.database_id, "node_id": made.id, "delivered": told}


@action("resolve")
def resolve(change: Change) -> Json:
    """Resolves every open thread of the pull request; its `updated_at` stays."""
    pull, person = change.pull, change.person()
    told = 0
    for thread in pull.threads:
        if not thread.is_resolved:
            thread.is_resolved, thread.resolved_by = True, person
            told += _thread_told(change, thread, "resolved")
    return {"number": pull.number, "delivered": told}


@action("unresolve")
def unresolve(change: Change) -> Json:
    """Opens the last resolved thread again; the pull request's `updated_at` stays."""
    pull = change.pull
    resolved = [thread for thread in pull.threads if thread.is_resolved]
    if not resolved:
        raise UnknownTarget(f"no resolved thread in {pull.number}")
    resolved[-1].is_resolved, resolved[-1].resolved_by = False, None
    return {"number": pull.number, "delivered": _thread_told(change, resolved[-1], "unresolved")}


def _thread_told(change: Change, thread: ReviewThread, word: str) -> int:
    repository, person = thread.pull_request.repository, change.person()
    return change.emit(
        repository, "pull_request_review_thread", lambda: change.payloads.review_thread(thread, word, person)
    )
