"""One generated pull request, told as a story in time: opened, reviewed in rounds, fixed, approved, merged."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from devtools.github_sandbox.entities import (
    Account,
    ChangedFile,
    Comment,
    Commit,
    Issue,
    PullRequest,
    Team,
    TimelineEvent,
)
from devtools.github_sandbox.synthetic import text
from devtools.github_sandbox.synthetic.checks import write_checks
from devtools.github_sandbox.synthetic.plan import HEAVY_ITEMS, Plan, iso
from devtools.github_sandbox.synthetic.reviews import ReviewWriter

if TYPE_CHECKING:
    from devtools.github_sandbox.synthetic.repository import Generator


class Clock:
    """Time that moves by chance and never reaches `limit`."""

    def __init__(self, random: Random, start: datetime, limit: datetime) -> None:
        self._random = random
        self.moment = start
        self._limit = limit

    def advance(self, median_hours: float) -> str:
        """Moves on by a lognormal span, at most a fifth of what is left, and returns the moment."""
        hours = median_hours * math.exp(self._random.gauss(0, 1.0))
        left = (self._limit - self.moment).total_seconds()
        self.moment += timedelta(seconds=int(min(hours * 3_600, max(left, 0) / 5)))
        return iso(self.moment)


class PullWriter:
    """Writes the pull request of a plan. The same plan and seed give the same one."""

    def __init__(self, generator: Generator, plan: Plan) -> None:
        self.generator = generator
        self.plan = plan
        self.random = Random(f"{generator.spec.seed} {generator.name} {plan.number}")
        self.clock = Clock(self.random, plan.created, generator.limit_of(plan))
        self.closes: list[Issue] = []
        self.pull = self._begin()

    def write(self) -> PullRequest:
        pull, random = self.pull, self.random
        self._files()
        self._commits(HEAVY_ITEMS if self.plan.heavy else random.choice((1, 1, 2, 2, 3, 5)), self.plan.created)
        self._marks()
        if pull.is_draft:
            moment = self.clock.advance(8)
            if pull.state != "OPEN" or random.random() < 0.4:
                pull.is_draft = False
                self.event("ReadyForReviewEvent", "ready_for_review", pull.author, moment)
        if not self.is_bump:
            self._request_reviews()
        ReviewWriter(self).write()
        self._comments(HEAVY_ITEMS if self.plan.heavy else random.choice((0, 0, 1, 1, 2, 4)))
        if self.plan.heavy:
            self._busy_timeline()
        self._end()
        pull.events.sort(key=lambda event: (event.created_at, event.database_id))
        pull.comments.sort(key=lambda comment: (comment.created_at, comment.database_id))
        write_checks(self)
        pull.updated_at = max(iso(self.clock.moment), pull.updated_at)
        self._oddities()
        return pull

    def _begin(self) -> PullRequest:
        generator, random, plan = self.generator, self.random, self.plan
        self.is_bump = not plan.heavy and plan.threads in (None, 0) and not plan.reviewed and random.random() < 0.1
        author: Account | None = generator.bot("dependabot[bot]") if self.is_bump else self._somebody()
        self.assisted = None if self.is_bump or random.random() > 0.2 else random.choice(text.ASSISTED)
        number, node = generator.new("PR")
        undone = None if self.is_bump else self._something_merged()
        title = text.bump(random) if self.is_bump else text.title(random)
        if undone is not None:
            title = f'Revert "{undone.title}"'
        head = generator.repository
        if not self.is_bump and random.random() < 0.1 and author is not None:
            head = generator.fork_of(author)
        created = iso(plan.created)
        return PullRequest(
            database_id=number,
            id=node,
            number=plan.number,
            repository=generator.repository,
            title=title,
            body=f"Reverts {generator.name}#{undone.number}" if undone else self._body(),
            author=author,
            state=plan.state,
            created_at=created,
            updated_at=created,
            base_ref_name=generator.repository.default_branch,
            base_ref_oid=generator.sha("base", plan.number),
            head_ref_name=self._branch(title),
            head_ref_oid="",
            head_repository=head,
            is_draft=not self.is_bump and random.random() < 0.14,
            author_association="NONE" if self.is_bump else "MEMBER",
            merge_commit_oid=generator.sha("merge", plan.number) if plan.state == "MERGED" else None,
        )

    def _body(self) -> str:
        body = self.random.choice(text.BODIES) + (self.assisted[0] if self.assisted else "")
        issues = self.generator.contents.issues
        if issues and self.random.random() < 0.3:
            issue = self.random.choice(list(issues))
            body = f"{body}\n\nFixes #{issue}".strip()
            self.closes = [issues[issue]]
        return body

    def _something_merged(self) -> PullRequest | None:
        """Once in fifty times, what this one reverts."""
        if self.random.random() > 0.02:
            return None
        earlier = self.generator.undoable(self.plan)
        return self.random.choice(earlier) if earlier else None

    def _branch(self, title: str) -> str:
        words = "-".join(title.lower().split()[:4])
        prefixes = ("", "feature/", "fix/", "mara/", "hotfix/")
        kind = "dependabot/" if self.is_bump else self.random.choices(prefixes, (8, 8, 6, 4, 1))[0]
        return f"{kind}{words}-{self.plan.number}"

    def _somebody(self, besides: Account | None = None) -> Account:
        """A person; the first of them write more than the last."""
        people = [person for person in self.generator.people if person is not besides] or self.generator.people
        return people[min(int(self.random.expovariate(3 / len(people))), len(people) - 1)]

    def reviewer(self) -> Account:
        return self._somebody(besides=self.pull.author)

    def event(self, typename: str, kind: str, actor: Account | None, moment: str, **details: Any) -> None:
        number, node = self.generator.new("EV")
        event = TimelineEvent(typename, kind, number, node, moment, actor, self.pull, details)
        self.pull.events.append(event)
        self.generator.keep(event)

    def _files(self) -> None:
        random, pull = self.random, self.pull
        count = HEAVY_ITEMS + 20 if self.plan.heavy else 1 if self.is_bump else random.choice((1, 2, 3, 4, 6, 9))
        files = []
        for index in range(count):
            kind = random.choices(("MODIFIED", "ADDED", "DELETED", "RENAMED"), (80, 12, 4, 4))[0]
            added = 0 if kind == "DELETED" else int(random.lognormvariate(2.6, 1.1))
            removed = 0 if kind == "ADDED" else int(random.lognormvariate(1.8, 1.1))
            path = text.path(random, index)
            previous = f"old/{path}" if kind == "RENAMED" else None
            sha = self.generator.sha("file", pull.number, index)
            files.append(ChangedFile(path, added, removed, kind, sha, previous))
        pull.files = files
        pull.changed_files = len(files)
        pull.additions = sum(file.additions for file in files)
        pull.deletions = sum(file.deletions for file in files)
        pull.closing_issues = self.closes

    def _commits(self, count: int, until: datetime) -> None:
        moment = until - timedelta(hours=self.random.lognormvariate(1.2, 0.9))
        step = (until - moment) / (count + 1)
        for index in range(count):
            self.commit(moment + step * index, self.random.choice(text.COMMITS) if index else self.pull.title)

    def commit(self, moment: datetime, message: str) -> Commit:
        generator, pull = self.generator, self.pull
        author = pull.author or generator.people[0]
        oid = generator.sha("commit", pull.number, len(pull.commits), len(pull.events))
        message += f"\n\n{self.assisted[1]}" if self.assisted and not pull.commits else ""
        name, email = author.name or author.login, author.email or f"{author.login}@users.noreply.github.com"
        commit = Commit(
            oid=oid,
            id=generator.new("C")[1],
            repository=generator.repository,
            message=message,
            authored_date=iso(moment),
            committed_date=iso(moment),
            author_name=name,
            author_email=email,
            committer_name=name,
            committer_email=email,
            author_user=author,
            committer_user=author,
            additions=self.random.randint(1, 60),
            deletions=self.random.randint(0, 30),
            changed_files=self.random.randint(1, 4),
        )
        pull.commits.append(commit)
        pull.head_ref_oid = oid
        generator.contents.commits[oid] = commit
        generator.keep(commit)
        return commit

    def _marks(self) -> None:
        """Labels, assignees, a milestone, each with its event."""
        random, pull, contents = self.random, self.pull, self.generator.contents
        names = (
            ["dependencies"]
            if self.is_bump
            else random.sample([name for name, _ in text.LABELS[:7]], random.choice((0, 1, 1, 2)))
        )
        if pull.head_ref_name.startswith("hotfix/"):
            names.append("hotfix")
        for name in names:
            pull.labels.append(contents.labels[name])
            self.event("LabeledEvent", "labeled", pull.author, pull.created_at, label=contents.labels[name])
        if random.random() < 0.4:
            assignee = self._somebody()
            pull.assignees.append(assignee)
            self.event("AssignedEvent", "assigned", pull.author, pull.created_at, assignee=assignee)
        if random.random() < 0.3:
            pull.milestone = contents.milestones[random.randint(1, 3)]
            self.event(
                "MilestonedEvent", "milestoned", pull.author, pull.created_at, milestone_title=pull.milestone.title
            )

    def _request_reviews(self) -> None:
        random, pull = self.random, self.pull
        moment = self.clock.advance(0.2)
        asked: list[Account | Team] = [self.reviewer() for _ in range(random.choice((1, 1, 2)))]
        teams = self.generator.teams
        if teams and random.random() < 0.2:
            asked.append(random.choice(teams))
        for each in dict.fromkeys(asked):
            self.event("ReviewRequestedEvent", "review_requested", pull.author, moment, requested_reviewer=each)
            pull.requested_reviewers.append(each)

    def _comments(self, count: int) -> None:
        random, pull, generator = self.random, self.pull, self.generator
        first = datetime.fromisoformat(pull.created_at)
        span = max((self.clock.moment - first).total_seconds(), 60)
        for index in range(count):
            by_bot = index == 0 and random.random() < 0.4
            author = generator.bot("codecov[bot]") if by_bot else self._somebody()
            body = "Coverage is 91.3 % (+0.2 %)." if by_bot else random.choice(text.REMARKS)
            moment = iso(first + timedelta(seconds=int(span * random.random())))
            number, node = generator.new("IC")
            association = "NONE" if by_bot else "MEMBER"
            comment = Comment(number, node, author, body, moment, moment, pull, association)
            pull.comments.append(comment)
            generator.keep(comment)

    def _busy_timeline(self) -> None:
        """Over a hundred events of kinds that the product asks for."""
        pull = self.pull
        for _ in range(HEAVY_ITEMS):
            moment = self.clock.advance(0.05)
            before, after = pull.commits[-2].oid, pull.head_ref_oid
            self.event(
                "HeadRefForcePushedEvent",
                "head_ref_force_pushed",
                pull.author,
                moment,
                before_oid=before,
                after_oid=after,
            )

    def _end(self) -> None:
        pull, random = self.pull, self.random
        if pull.state == "OPEN":
            if random.random() < 0.1:
                pull.auto_merge = {"enabled_at": self.clock.advance(1), "enabled_by": pull.author}
                self.event("AutoMergeEnabledEvent", "auto_merge_enabled", pull.author, iso(self.clock.moment))
            return
        if random.random() < 0.03:
            self.event("ClosedEvent", "closed", pull.author, self.clock.advance(5))
            self.event("ReopenedEvent", "reopened", pull.author, self.clock.advance(5))
        moment = self.clock.advance(6)
        actor = (
            pull.author if pull.author and pull.author.typename == "User" and random.random() < 0.6 else self.reviewer()
        )
        pull.closed_at = moment
        pull.requested_reviewers = []
        if pull.state == "MERGED":
            pull.merged_at, pull.merged_by = moment, actor
            oid, ref = pull.merge_commit_oid, pull.base_ref_name
            self.event("MergedEvent", "merged", actor, moment, commit_oid=oid, merge_ref_name=ref)
        self.event("ClosedEvent", "closed", actor, moment)
        self.event("HeadRefDeletedEvent", "head_ref_deleted", actor, moment, head_ref_name=pull.head_ref_name)

    def _oddities(self) -> None:
        """Deleted accounts, forks that are gone, a diff that GitHub gave up on."""
        pull, random = self.pull, self.random
        if random.random() < 0.02:
            pull.author, pull.author_association = None, "NONE"
        if pull.head_repository is not pull.repository and random.random() < 0.3:
            pull.head_repository = None
        if not self.generator.spec.mix and random.random() < 0.002:
            pull.files, pull.changed_files = None, 0
