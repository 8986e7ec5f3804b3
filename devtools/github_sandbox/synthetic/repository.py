"""Fills one generated repository: labels, milestones, issues, pull requests, deployments."""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from devtools.github_sandbox.access import READER
from devtools.github_sandbox.entities import (
    Account,
    App,
    Deployment,
    DeploymentStatus,
    Issue,
    Label,
    Milestone,
    PullRequest,
)
from devtools.github_sandbox.ids import node_id
from devtools.github_sandbox.synthetic.plan import Plan, SyntheticRepository, iso, plans
from devtools.github_sandbox.synthetic.pull import PullWriter
from devtools.github_sandbox.synthetic.text import LABELS, title
from devtools.github_sandbox.world import Contents, Repository, World


@dataclass
class Generator:
    """Generates into `contents`. Ids count up from `first_id`; every pull request has a random stream of its own."""

    world: World
    spec: SyntheticRepository
    repository: Repository
    contents: Contents
    first_id: int
    now: datetime
    forks: dict[str, Repository] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._ids = itertools.count(self.first_id)
        owner = self.repository.owner
        self.name = f"{self.spec.owner}/{self.spec.name}"
        self.teams = list(owner.teams)
        self.reader = self.world.account(READER)
        people = [member.account for member in owner.members if not member.account.login.startswith("sandbox-")]
        self.people: list[Account] = people or [owner]
        self.actions = App(15_368, "A_kwDOADhj", "github-actions", "GitHub Actions")
        self.scanner = App(57_789, "A_kwDOAOG9", "github-advanced-security", "GitHub Advanced Security")

    def new(self, prefix: str) -> tuple[int, str]:
        """A database id and its node id."""
        number = next(self._ids)
        return number, node_id(prefix, self.repository.database_id, number)

    def keep(self, *entities: Any) -> None:
        for entity in entities:
            self.contents.nodes[entity.id] = entity

    def sha(self, *words: object) -> str:
        return hashlib.sha1(f"{self.name} {self.spec.seed} {words}".encode()).hexdigest()

    def bot(self, login: str) -> Account:
        account = self.world.account(login)
        assert account is not None
        return account

    def limit_of(self, _plan: Plan) -> datetime:
        """The moment that the story of a pull request ends before."""
        return self.now

    def undoable(self, plan: Plan) -> list[PullRequest]:
        """What was merged shortly before, for the one that reverts it."""
        merged = [pull for pull in self.contents.pulls.values() if pull.state == "MERGED"]
        return [pull for pull in merged[-8:] if (pull.merged_at or "") < iso(plan.created)]

    def begin(self) -> None:
        """What a repository has before its first pull request."""
        self._labels()
        self._milestones()

    def generate(self) -> None:
        self.begin()
        for plan in plans(self.spec, self.now):
            if (plan.number + 1) % 6 == 0:
                self.issue(plan.number + 1, plan.created)
            pull = PullWriter(self, plan).write()
            self.contents.add_pull(pull)
        if self.spec.deploys:
            self._deployments()

    def _labels(self) -> None:
        for name, color in LABELS:
            number, node = self.new("LA")
            created = self.repository.created_at
            label = Label(number, node, name, color, self.repository, None, name == "bug", created, created)
            self.contents.labels[name] = label
            self.keep(label)

    def _milestones(self) -> None:
        for offset in range(3):
            number, node = self.new("MI")
            due = self.now + timedelta(days=30 * (offset - 1))
            milestone = Milestone(
                number,
                node,
                offset + 1,
                f"{due:%Y.%m}",
                "CLOSED" if offset == 0 else "OPEN",
                self.repository.created_at,
                self.repository.created_at,
                self.repository,
                creator=self.people[0],
                due_on=iso(due),
                closed_at=iso(due) if offset == 0 else None,
            )
            self.contents.milestones[milestone.number] = milestone
            self.keep(milestone)

    def issue(self, number: int, created: datetime) -> None:
        random = Random(f"{self.spec.seed} issue {number}")
        database_id, node = self.new("I")
        closed = random.random() < 0.6
        moment = iso(created)
        issue = Issue(
            database_id,
            node,
            number,
            self.repository,
            f"{title(random)} does not work",
            "It happens every morning.",
            random.choice(self.people),
            "CLOSED" if closed else "OPEN",
            moment,
            moment,
            closed_at=moment if closed else None,
            state_reason="COMPLETED" if closed else None,
        )
        self.contents.issues[number] = issue
        self.keep(issue)

    def fork_of(self, person: Account) -> Repository:
        """The person's fork, where pull requests from outside come from."""
        known = self.forks.get(person.login)
        if known is None:
            number, node = self.new("R")
            known = Repository(number, node, person, self.repository.name, is_fork=True, pushed_at=iso(self.now))
            self.forks[person.login] = self.world.add_repository(known, listed=False)
        return known

    def _deployments(self) -> None:
        """Every fourth merge goes to staging, every second of those to production; one in eight fails."""
        merged = [pull for pull in self.contents.sorted_pulls("CREATED_AT") if pull.merged_at is not None]
        merged.sort(key=lambda pull: pull.merged_at or "")
        for index, pull in enumerate(merged[::4]):
            random = Random(f"{self.spec.seed} deployment {index}")
            start = datetime.fromisoformat(str(pull.merged_at)) + timedelta(minutes=random.randint(3, 40))
            sha, person = str(pull.merge_commit_oid), pull.merged_by
            self.deployment(sha, person, "staging", min(start, self.now), random)
            if index % 2 == 0:
                start += timedelta(minutes=random.randint(20, 200))
                self.deployment(sha, person, "production", min(start, self.now), random)

    def deployment(self, sha: str, person: Account | None, environment: str, start: datetime, random: Random) -> None:
        number, node = self.new("DE")
        deployment = Deployment(
            number,
            node,
            self.repository,
            sha,
            environment,
            iso(start),
            iso(start),
            self.repository.default_branch,
            person,
            production=environment == "production",
        )
        end = min(start + timedelta(seconds=random.randint(60, 900)), self.now)
        final = "FAILURE" if random.random() < 0.125 else "SUCCESS"
        for state, moment in (("QUEUED", start), ("IN_PROGRESS", start), (final, end)):
            status_number, status_node = self.new("DES")
            status = DeploymentStatus(status_number, status_node, deployment, state, iso(moment), iso(moment), person)
            status.environment = environment
            deployment.statuses.append(status)
            self.keep(status)
        deployment.updated_at = iso(end)
        self.contents.deployments.append(deployment)
        self.keep(deployment)
