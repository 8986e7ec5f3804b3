"""Life going on in a repository while somebody reads it: one random, believable change after the other."""

from __future__ import annotations

from collections.abc import Callable, Collection
from random import Random
from typing import Any

from devtools.github_sandbox.entities import Account, PullRequest
from devtools.github_sandbox.mutations import UnknownTarget
from devtools.github_sandbox.sandbox import Sandbox
from devtools.github_sandbox.synthetic import text

Json = dict[str, Any]
WEIGHTS: dict[str, int] = {
    "edit": 8,
    "comment": 12,
    "edit_comment": 3,
    "delete_comment": 3,
    "review": 9,
    "dismiss": 2,
    "review_comment": 7,
    "edit_review_comment": 2,
    "delete_review_comment": 2,
    "resolve": 3,
    "unresolve": 1,
    "label": 4,
    "unlabel": 3,
    "push": 9,
    "force_push": 3,
    "open": 5,
    "merge": 6,
    "close": 3,
    "reopen": 1,
    "ready_for_review": 2,
    "convert_to_draft": 1,
    "start_check": 4,
    "finish_check": 4,
    "run_check_again": 4,
    "status": 2,
    "deploy": 3,
    "deployment_status": 3,
    "rename_repository": 1,
    "rename_user": 1,
    "delete": 1,
}
"""How often what happens, of all that can happen at a moment."""
_TRIES = 200


class Churn:
    """`step` applies one change to the repository, which it follows under every name. The same seed on the same world
    gives the same changes. `log` has the requests, for `mutations.apply`. `without`: what is not to happen."""

    def __init__(self, sandbox: Sandbox, repo: str, seed: int, without: Collection[str] = ()) -> None:
        found = sandbox.world.repository(repo)
        if found is None:
            raise UnknownTarget(f"no repository {repo}")
        unknown = set(without) - WEIGHTS.keys()
        if unknown:
            raise ValueError(f"nothing is called {', '.join(sorted(unknown))}")
        self.repository = found
        self.world = sandbox.world
        self.mutations = sandbox.mutations
        self.random = Random(seed)
        self.log: list[Json] = []
        self._weights = {name: weight for name, weight in WEIGHTS.items() if name not in without}

    def step(self) -> Json:
        """Applies one change; the request that it was. No request is answered meanwhile."""
        with self.world.lock:
            for _ in range(_TRIES):
                name = self.random.choices(list(self._weights), list(self._weights.values()))[0]
                request = self._request(name)
                if request is not None:
                    self.mutations.apply(request)
                    self.log.append(request)
                    return request
        raise UnknownTarget(f"nothing can happen in {self.repository.full_name}")

    def run(self, steps: int) -> list[Json]:
        return [self.step() for _ in range(steps)]

    def _request(self, name: str) -> Json | None:
        """What `name` would be now, None if there is nothing it could happen to."""
        if name in _ELSEWHERE:
            request = _ELSEWHERE[name](self)
        else:
            state, possible, more = _OF_PULLS[name]
            pull = self._pull(state, possible)
            request = {"action": name, "number": pull.number} | more(self, pull) if pull is not None else None
        return {"repo": self.repository.full_name, **request} if request is not None else None

    def _pull(self, state: str, possible: Callable[[PullRequest], Any]) -> PullRequest | None:
        """Some pull request in that state ("" for any) of which `possible` is true; mostly a recent one."""
        pulls = self.repository.contents.pulls
        numbers = list(pulls)
        for _ in range(12):
            if not numbers:
                return None
            newest = numbers[-30:] if self.random.random() < 0.6 else numbers
            pull = pulls.get(self.random.choice(newest))
            if pull is not None and state in ("", pull.state) and possible(pull):
                return pull
        return None

    def person(self) -> str | None:
        """Somebody who writes here."""
        members = [each.account for each in self.repository.owner.members]
        people = [each for each in members if each.typename == "User" and not each.login.startswith("sandbox-")]
        if not people:
            pulls = self.repository.contents.pulls
            authors = (pulls[number].author for number in list(pulls)[-50:])
            people = [each for each in authors if _is_person(each)]  # type: ignore[misc]
        return self.random.choice(people).login if people else None

    def by_somebody(self, **more: Any) -> Json:
        person = self.person()
        return more | ({"author": person} if person else {})


def _is_person(account: Account | None) -> bool:
    return account is not None and account.typename == "User" and not account.is_deleted


def _always(_pull: PullRequest) -> bool:
    return True


def _nothing(_churn: Churn, _pull: PullRequest) -> Json:
    return {}


def _remark(churn: Churn, _pull: PullRequest) -> Json:
    return churn.by_somebody(body=churn.random.choice(text.REMARKS))


def _edited(churn: Churn, pull: PullRequest) -> Json:
    if churn.random.random() < 0.5:
        return {"title": text.title(churn.random)}
    return {"body": f"{pull.body}\n\n{churn.random.choice(text.BODIES)}"}


def _review(churn: Churn, _pull: PullRequest) -> Json:
    state = churn.random.choice(("APPROVED", "CHANGES_REQUESTED", "COMMENTED"))
    return churn.by_somebody(state=state, body=churn.random.choice(text.VERDICTS))


def _review_comment(churn: Churn, _pull: PullRequest) -> Json:
    return churn.by_somebody(body=churn.random.choice(text.REMARKS), reply=churn.random.random() < 0.5)


def _one_of_comments(churn: Churn, pull: PullRequest) -> Json:
    return {"id": churn.random.choice(pull.comments).database_id}


def _one_of_review_comments(churn: Churn, pull: PullRequest) -> Json:
    return {"id": churn.random.choice(pull.review_comments()).database_id}


def _label(churn: Churn, _pull: PullRequest) -> Json:
    return {"name": churn.random.choice(text.LABELS)[0]}


def _one_of_labels(churn: Churn, pull: PullRequest) -> Json:
    return {"name": churn.random.choice(pull.labels).name}


def _pushed(churn: Churn, _pull: PullRequest) -> Json:
    return churn.by_somebody(title=churn.random.choice(text.COMMITS))


def _forced(churn: Churn, pull: PullRequest) -> Json:
    drop = churn.random.randint(1, min(len(pull.commits), 3))
    return churn.by_somebody(action="push", force=True, drop=drop, title=churn.random.choice(text.COMMITS))


def _started(churn: Churn, _pull: PullRequest) -> Json:
    name = churn.random.choice(("lint", "unit tests", "build", "nightly"))
    return {"action": "check", "name": name, "status": "IN_PROGRESS"}


def _ended(churn: Churn, _pull: PullRequest) -> Json:
    return {"conclusion": churn.random.choice(("SUCCESS", "SUCCESS", "FAILURE", "CANCELLED"))}


def _again(churn: Churn, pull: PullRequest) -> Json:
    runs = pull.repository.contents.runs_of(pull.head_ref_oid)
    return {"action": "check", "name": churn.random.choice(runs).name} | _ended(churn, pull)


def _status(churn: Churn, _pull: PullRequest) -> Json:
    return {"name": "ci/legacy", "state": churn.random.choice(("PENDING", "SUCCESS", "FAILURE"))}


def _merged(churn: Churn, _pull: PullRequest) -> Json:
    return churn.by_somebody()


def _has_review(pull: PullRequest) -> bool:
    return any(review.state not in ("DISMISSED", "PENDING") for review in pull.reviews)


def _runs(pull: PullRequest) -> bool:
    return any(run.status != "COMPLETED" for run in pull.repository.contents.runs_of(pull.head_ref_oid))


def _ran(pull: PullRequest) -> bool:
    return bool(pull.repository.contents.runs_of(pull.head_ref_oid))


Case = tuple[str, Callable[[PullRequest], Any], Callable[[Churn, PullRequest], Json]]
_OF_PULLS: dict[str, Case] = {
    "edit": ("", _always, _edited),
    "comment": ("", _always, _remark),
    "edit_comment": ("", lambda pull: pull.comments, _one_of_comments),
    "delete_comment": ("", lambda pull: pull.comments, _one_of_comments),
    "review": ("", _always, _review),
    "dismiss": ("", _has_review, _nothing),
    "review_comment": ("", _always, _review_comment),
    "edit_review_comment": ("", lambda pull: pull.threads, _one_of_review_comments),
    "delete_review_comment": ("", lambda pull: pull.threads, _one_of_review_comments),
    "resolve": ("", lambda pull: any(not thread.is_resolved for thread in pull.threads), _nothing),
    "unresolve": ("", lambda pull: any(thread.is_resolved for thread in pull.threads), _nothing),
    "label": ("", _always, _label),
    "unlabel": ("", lambda pull: pull.labels, _one_of_labels),
    "push": ("OPEN", _always, _pushed),
    "force_push": ("OPEN", lambda pull: pull.commits, _forced),
    "merge": ("OPEN", lambda pull: not pull.is_draft, _merged),
    "close": ("OPEN", _always, _nothing),
    "reopen": ("CLOSED", _always, _nothing),
    "ready_for_review": ("OPEN", lambda pull: pull.is_draft, _nothing),
    "convert_to_draft": ("OPEN", lambda pull: not pull.is_draft, _nothing),
    "start_check": ("OPEN", _always, _started),
    "finish_check": ("", _runs, _ended),
    "run_check_again": ("", _ran, _again),
    "status": ("OPEN", _always, _status),
    "delete": ("", _always, _nothing),
}
"""The state a pull request must be in, what it must have, and what else the request says."""


def _opened(churn: Churn) -> Json:
    random = churn.random
    more = {"title": text.title(random), "body": random.choice(text.BODIES), "draft": random.random() < 0.2}
    return churn.by_somebody(action="open", **more)


def _deployed(churn: Churn) -> Json:
    environment = churn.random.choice(("staging", "production"))
    return churn.by_somebody(action="deploy", environment=environment, state="IN_PROGRESS")


def _deployment_status(churn: Churn) -> Json | None:
    deployments = churn.repository.contents.deployments[-10:]
    if not deployments:
        return None
    state = churn.random.choice(("SUCCESS", "FAILURE", "INACTIVE"))
    number = churn.random.choice(deployments).database_id
    return {"action": "deployment_status", "id": number, "state": state}


def _repository_renamed(churn: Churn) -> Json:
    stem = churn.repository.name.partition("--")[0]
    return {"action": "rename", "name": f"{stem}--{len(churn.log)}"}


def _user_renamed(churn: Churn) -> Json | None:
    login = churn.person()
    if login is None or churn.world.account(login) is None:
        return None
    return {"action": "rename_user", "login": login, "to": f"{login.partition('--')[0]}--{len(churn.log)}"}


_ELSEWHERE: dict[str, Callable[[Churn], Json | None]] = {
    "open": _opened,
    "deploy": _deployed,
    "deployment_status": _deployment_status,
    "rename_repository": _repository_renamed,
    "rename_user": _user_renamed,
}
