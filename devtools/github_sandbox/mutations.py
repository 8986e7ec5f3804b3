"""Changes somebody makes on GitHub while the product watches: each alters the world, then sends its events."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from typing import Any

from devtools.github_sandbox.entities import (
    Account,
    App,
    CheckRun,
    CheckSuite,
    Comment,
    Commit,
    Deployment,
    DeploymentStatus,
    PullRequest,
    Review,
    ReviewComment,
    ReviewThread,
    TimelineEvent,
)
from devtools.github_sandbox.hooks import Hooks, utc_now
from devtools.github_sandbox.ids import node_id
from devtools.github_sandbox.payloads import Payloads
from devtools.github_sandbox.world import Repository, World

Json = dict[str, Any]


class UnknownTarget(Exception):
    """No such repository, pull request, person or action."""


class Mutations:
    """`apply` runs one change; `now` stamps it."""

    def __init__(self, world: World, hooks: Hooks, payloads: Payloads, now: Callable[[], str] = utc_now) -> None:
        self._world = world
        self._hooks = hooks
        self._payloads = payloads
        self._now = now
        self._lock = threading.RLock()
        self._actions: dict[str, Callable[[Repository, Json], Json]] = {
            "open": self._open,
            "merge": self._merge,
            "close": self._close,
            "reopen": self._reopen,
            "ready_for_review": self._ready,
            "convert_to_draft": self._draft,
            "edit": self._edit,
            "push": self._push,
            "review": self._review,
            "dismiss": self._dismiss,
            "comment": self._comment,
            "review_comment": self._review_comment,
            "resolve": self._resolve,
            "check": self._check,
            "deploy": self._deploy,
            "rename": self._rename,
        }

    def apply(self, request: Json) -> Json:
        """`request`: repo, action, number of the pull request, and by action: title, body, author, state, name,
        conclusion, environment. Answers the number and how many hooks were told. Raises UnknownTarget."""
        repository = self._world.repository(str(request.get("repo", "")))
        action = self._actions.get(str(request.get("action", "")))
        if repository is None or action is None:
            raise UnknownTarget(f"no repository {request.get('repo')} or no action {request.get('action')}")
        with self._lock:
            return action(repository, request)

    def _pull(self, repository: Repository, request: Json) -> PullRequest:
        pull = repository.contents.pulls.get(int(request.get("number") or 0))
        if pull is None:
            raise UnknownTarget(f"no pull request {request.get('number')} in {repository.full_name}")
        return pull

    def _person(self, repository: Repository, request: Json, key: str = "author") -> Account:
        login = request.get(key)
        if login:
            account = self._world.account(login)
            if account is None:
                raise UnknownTarget(f"nobody is called {login}")
            return account
        members = [each.account for each in repository.owner.members if not each.account.login.startswith("sandbox-")]
        return members[0] if members else repository.owner

    def _id(self, prefix: str, repository: Repository) -> tuple[int, str]:
        number = self._world.new_id()
        return number, node_id(prefix, repository.database_id, number)

    def _touch(self, pull: PullRequest) -> str:
        pull.updated_at = self._now()
        pull.repository.contents.changed()
        return pull.updated_at

    def _event(self, pull: PullRequest, typename: str, kind: str, actor: Account | None, **details: Any) -> None:
        number, node = self._id("EV", pull.repository)
        event = TimelineEvent(typename, kind, number, node, self._now(), actor, pull, details)
        pull.events.append(event)
        pull.repository.contents.nodes[node] = event

    def _tell(self, pull: PullRequest, action: str, sender: Account | None = None, **more: Any) -> Json:
        payload = self._payloads.pull_request(pull, action, sender, **more)
        told = self._hooks.emit(pull.repository, "pull_request", payload)
        return {"number": pull.number, "id": pull.database_id, "node_id": pull.id, "delivered": told}

    def _open(self, repository: Repository, request: Json) -> Json:
        contents, now = repository.contents, self._now()
        number = max([*contents.pulls, *contents.issues], default=0) + 1
        author = self._person(repository, request)
        database_id, node = self._id("PR", repository)
        pull = PullRequest(
            database_id=database_id,
            id=node,
            number=number,
            repository=repository,
            title=request.get("title") or f"Change number {number}",
            body=request.get("body") or "",
            author=author,
            state="OPEN",
            created_at=now,
            updated_at=now,
            base_ref_name=repository.default_branch,
            base_ref_oid=hashlib.sha1(f"{repository.full_name} base".encode()).hexdigest(),
            head_ref_name=request.get("branch") or f"change-{number}",
            head_ref_oid="",
            head_repository=repository,
            is_draft=bool(request.get("draft")),
            author_association="MEMBER",
        )
        self._add_commit(pull, author, request.get("title") or "First commit")
        contents.add_pull(pull)
        return self._tell(pull, "opened")

    def _add_commit(self, pull: PullRequest, author: Account, message: str) -> Commit:
        repository, now = pull.repository, self._now()
        oid = hashlib.sha1(f"{pull.id} {len(pull.commits)} {self._world.new_id()}".encode()).hexdigest()
        name, email = author.name or author.login, author.email or f"{author.login}@users.noreply.github.com"
        commit = Commit(
            oid,
            node_id("C", repository.database_id, self._world.new_id()),
            repository,
            message,
            now,
            now,
            name,
            email,
            name,
            email,
            author,
            author,
            12,
            3,
            1,
        )
        repository.contents.commits[oid] = commit
        repository.contents.nodes[commit.id] = commit
        pull.commits.append(commit)
        pull.head_ref_oid = oid
        pull.stated.pop("commits", None)
        pull.additions += 12
        pull.deletions += 3
        return commit

    def _merge(self, repository: Repository, request: Json) -> Json:
        pull, person = self._pull(repository, request), self._person(repository, request)
        now = self._touch(pull)
        pull.state, pull.merged_at, pull.closed_at, pull.merged_by = "MERGED", now, now, person
        pull.merge_commit_oid = hashlib.sha1(f"merge {pull.id}".encode()).hexdigest()
        oid, ref = pull.merge_commit_oid, pull.base_ref_name
        self._event(pull, "MergedEvent", "merged", person, commit_oid=oid, merge_ref_name=ref)
        self._event(pull, "ClosedEvent", "closed", person)
        return self._tell(pull, "closed", person)

    def _close(self, repository: Repository, request: Json) -> Json:
        pull, person = self._pull(repository, request), self._person(repository, request)
        pull.state, pull.closed_at = "CLOSED", self._touch(pull)
        self._event(pull, "ClosedEvent", "closed", person)
        return self._tell(pull, "closed", person)

    def _reopen(self, repository: Repository, request: Json) -> Json:
        pull, person = self._pull(repository, request), self._person(repository, request)
        self._touch(pull)
        pull.state, pull.closed_at = "OPEN", None
        self._event(pull, "ReopenedEvent", "reopened", person)
        return self._tell(pull, "reopened", person)

    def _ready(self, repository: Repository, request: Json) -> Json:
        pull = self._pull(repository, request)
        self._touch(pull)
        pull.is_draft = False
        self._event(pull, "ReadyForReviewEvent", "ready_for_review", pull.author)
        return self._tell(pull, "ready_for_review")

    def _draft(self, repository: Repository, request: Json) -> Json:
        pull = self._pull(repository, request)
        self._touch(pull)
        pull.is_draft = True
        self._event(pull, "ConvertToDraftEvent", "convert_to_draft", pull.author)
        return self._tell(pull, "converted_to_draft")

    def _edit(self, repository: Repository, request: Json) -> Json:
        pull = self._pull(repository, request)
        changes = {key: {"from": getattr(pull, key)} for key in ("title", "body") if key in request}
        self._touch(pull)
        pull.title, pull.body = request.get("title", pull.title), request.get("body", pull.body)
        return self._tell(pull, "edited", changes=changes)

    def _push(self, repository: Repository, request: Json) -> Json:
        pull, person = self._pull(repository, request), self._person(repository, request)
        before = pull.head_ref_oid
        commit = self._add_commit(pull, person, request.get("title") or "Address review")
        self._touch(pull)
        repository.pushed_at = self._now()
        if request.get("force"):
            self._event(
                pull,
                "HeadRefForcePushedEvent",
                "head_ref_force_pushed",
                person,
                before_oid=before,
                after_oid=commit.oid,
            )
        self._hooks.emit(repository, "push", self._payloads.push(pull, before, bool(request.get("force"))))
        return self._tell(pull, "synchronize", person, before=before, after=commit.oid)

    def _review(self, repository: Repository, request: Json) -> Json:
        pull, person = self._pull(repository, request), self._person(repository, request)
        state = str(request.get("state") or "APPROVED").upper()
        number, node = self._id("PRR", repository)
        now = self._touch(pull)
        review = Review(
            number, node, person, state, request.get("body") or "", now, now, now, pull, "MEMBER", pull.head_ref_oid
        )
        pull.reviews.append(review)
        repository.contents.nodes[node] = review
        if state == "PENDING":  # not sent yet: nobody is told
            review.submitted_at = None
            return {"number": pull.number, "id": number, "node_id": node, "delivered": 0}
        told = self._hooks.emit(repository, "pull_request_review", self._payloads.review(review, "submitted"))
        return {"number": pull.number, "id": number, "node_id": node, "delivered": told}

    def _dismiss(self, repository: Repository, request: Json) -> Json:
        pull, person = self._pull(repository, request), self._person(repository, request)
        if not pull.reviews:
            raise UnknownTarget(f"no review in {pull.number}")
        review = pull.reviews[-1]
        previous, review.state = review.state, "DISMISSED"
        review.updated_at = self._touch(pull)
        self._event(
            pull, "ReviewDismissedEvent", "review_dismissed", person, previous_review_state=previous, review=review
        )
        told = self._hooks.emit(repository, "pull_request_review", self._payloads.review(review, "dismissed"))
        return {"number": pull.number, "id": review.database_id, "delivered": told}

    def _comment(self, repository: Repository, request: Json) -> Json:
        pull, person = self._pull(repository, request), self._person(repository, request)
        number, node = self._id("IC", repository)
        now = self._touch(pull)
        comment = Comment(number, node, person, request.get("body") or "Thank you.", now, now, pull, "MEMBER")
        pull.comments.append(comment)
        pull.stated.pop("comments", None)
        repository.contents.nodes[node] = comment
        told = self._hooks.emit(repository, "issue_comment", self._payloads.issue_comment(comment, "created"))
        return {"number": pull.number, "id": number, "node_id": node, "delivered": told}

    def _review_comment(self, repository: Repository, request: Json) -> Json:
        pull, person = self._pull(repository, request), self._person(repository, request)
        number, node = self._id("PRRC", repository)
        thread_node = node_id("PRRT", repository.database_id, number)
        now, path = self._touch(pull), pull.files[0].path if pull.files else "README.md"
        thread = ReviewThread(thread_node, pull, path, line=1)
        body = request.get("body") or "Why?"
        comment = ReviewComment(number, node, person, body, now, now, thread, path, "MEMBER", line=1)
        comment.commit_oid = comment.original_commit_oid = pull.head_ref_oid
        thread.comments.append(comment)
        pull.threads.append(thread)
        pull.stated.pop("review_comments", None)
        repository.contents.nodes |= {node: comment, thread_node: thread}
        payload = self._payloads.review_comment(comment, "created")
        told = self._hooks.emit(repository, "pull_request_review_comment", payload)
        return {"number": pull.number, "id": number, "node_id": node, "delivered": told}

    def _resolve(self, repository: Repository, request: Json) -> Json:
        """Resolves every open thread of the pull request; its `updated_at` stays."""
        pull, person = self._pull(repository, request), self._person(repository, request)
        told = 0
        for thread in pull.threads:
            if not thread.is_resolved:
                thread.is_resolved, thread.resolved_by = True, person
                payload = self._payloads.review_thread(thread, "resolved", person)
                told += self._hooks.emit(repository, "pull_request_review_thread", payload)
        return {"number": pull.number, "delivered": told}

    def _check(self, repository: Repository, request: Json) -> Json:
        """A check run on the head, completed with `conclusion`; the pull request's `updated_at` stays."""
        pull, now = self._pull(repository, request), self._now()
        name = request.get("name") or "tests"
        sha, contents = pull.head_ref_oid, repository.contents
        suites = contents.suites.setdefault(sha, [])
        suite = next((each for each in suites if any(run.name == name for run in each.runs)), None)
        if suite is None:
            number, node = self._id("CS", repository)
            app = App(15_368, "A_kwDOADhj", "github-actions", "GitHub Actions")
            suite = CheckSuite(number, node, repository, sha, app, now, now, "CI", branch=pull.head_ref_name)
            suites.append(suite)
            contents.nodes[node] = suite
        attempt = 1 + sum(run.name == name for run in suite.runs)
        number, node = self._id("CR", repository)
        conclusion = str(request.get("conclusion") or "SUCCESS").upper()
        run = CheckRun(number, node, name, "COMPLETED", conclusion, now, now, suite, attempt)
        suite.runs.append(run)
        contents.nodes[node] = run
        told = self._hooks.emit(repository, "check_run", self._payloads.check_run(run, "completed"))
        told += self._hooks.emit(repository, "check_suite", self._payloads.check_suite(run, "completed"))
        return {"number": pull.number, "id": number, "node_id": node, "delivered": told}

    def _deploy(self, repository: Repository, request: Json) -> Json:
        now, person = self._now(), self._person(repository, request)
        number, node = self._id("DE", repository)
        pulls = repository.contents.sorted_pulls("UPDATED_AT")
        merged = [pull.merge_commit_oid for pull in pulls if pull.state == "MERGED" and pull.merge_commit_oid]
        sha = str(request.get("sha") or (merged[-1] if merged else "0" * 40))
        environment = request.get("environment") or "production"
        deployment = Deployment(
            number, node, repository, sha, environment, now, now, repository.default_branch, person, production=True
        )
        status_number, status_node = self._id("DES", repository)
        state = str(request.get("state") or "SUCCESS").upper()
        status = DeploymentStatus(status_number, status_node, deployment, state, now, now, person)
        deployment.statuses.append(status)
        repository.contents.deployments.append(deployment)
        repository.contents.nodes |= {node: deployment, status_node: status}
        told = self._hooks.emit(repository, "deployment", self._payloads.deployment(deployment))
        told += self._hooks.emit(repository, "deployment_status", self._payloads.deployment_status(status))
        return {"id": number, "node_id": node, "delivered": told}

    def _rename(self, repository: Repository, request: Json) -> Json:
        old = repository.name
        self._world.rename(repository, repository.owner, str(request.get("name") or f"{old}-renamed"))
        changes = {"repository": {"name": {"from": old}}}
        told = self._hooks.emit(repository, "repository", self._payloads.repository(repository, "renamed", changes))
        return {"repo": repository.full_name, "id": repository.database_id, "delivered": told}
