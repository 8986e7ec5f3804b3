"""The records of a repository's pull requests, one after another: as a source would tell them at the plan's end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from apps.metrics.demo.checks import checks_of, instant
from apps.metrics.demo.dice import Dice, dice
from apps.metrics.demo.life import Answer, Life, life_of, revert_life
from apps.metrics.demo.numbering import INCIDENT_EVERY, is_revert, issue_for, number_of, place_of
from apps.metrics.demo.organisation import CODING_AGENT, COVERAGE_BOT, LOGIN, DemoRepository, Person
from apps.metrics.demo.plan import Plan
from apps.metrics.demo.upgrades import ECOSYSTEMS
from apps.metrics.demo.words import ANSWERS, APPROVALS, ASKS, CHANGES, REMARKS, body_of, file_of, message_of
from apps.metrics.demo.worktime import DAY, HOUR
from apps.metrics.records import (
    Account,
    CommentRecord,
    CommitRecord,
    EventKind,
    EventRecord,
    FileRecord,
    LabelRecord,
    LinkedIssueRecord,
    MilestoneRecord,
    Part,
    PullRequestRecord,
    ReviewRecord,
    ThreadRecord,
)

IDS_EACH = 1_000  # numbers that one pull request may use up
_TRAILERS = {
    "Claude": "\n\nCo-authored-by: Claude <noreply@anthropic.com>",
    "Cursor": "\n\nCo-authored-by: Cursor <cursoragent@cursor.com>",
    "Copilot": "\n\nCo-authored-by: Copilot <175728472+Copilot@users.noreply.github.com>",
}
_KIND_LABELS = {
    "feature": ("feature", "a2eeef"),
    "fix": ("bug", "d73a4a"),
    "hotfix": ("hotfix", "b60205"),
    "revert": ("incident", "b60205"),
    "refactor": ("tech debt", "fbca04"),
    "docs": ("documentation", "0075ca"),
    "dependencies": ("dependencies", "0366d6"),
    "test": ("tests", "c5def5"),
}
_IN_MILESTONES = {
    "feature": 0.7,
    "fix": 0.45,
    "hotfix": 0.6,
    "refactor": 0.4,
    "chore": 0.35,
    "test": 0.3,
    "docs": 0.3,
    "revert": 0.2,
}
"""How often a pull request of a kind is planned for a milestone."""

_RELEASED_MONTHLY = ("web-shop", "courier-app")


def pull_requests_of(plan: Plan, repository: DemoRepository) -> Iterator[PullRequestRecord]:
    """All of a repository, the oldest first."""
    return (pull_request(plan, repository, number_of(place)) for place in range(1, repository.prs + 1))


def pull_request(plan: Plan, repository: DemoRepository, number: int) -> PullRequestRecord:
    """One of them: the same whatever else was asked for."""
    rng = _dice(plan, repository, number)
    life = _revert(plan, repository, number, rng) if is_revert(number) else None
    return _Making(plan, repository, rng, life or life_of(plan, repository, number, rng)).record()


def _dice(plan: Plan, repository: DemoRepository, number: int) -> Dice:
    return dice(plan.seed, repository.index, number)


def _revert(plan: Plan, repository: DemoRepository, number: int, rng: Dice) -> Life | None:
    """Of the latest that was merged before, among the last dozens; None where none was."""
    opened, place = plan.opened(repository, number), place_of(number)
    for other in map(number_of, range(place - 1, max(0, place - INCIDENT_EVERY // 2), -1)):
        life = life_of(plan, repository, other, _dice(plan, repository, other))
        is_done = life.is_merged and life.ended is not None and life.ended < opened - HOUR
        if is_done and life.kind in ("feature", "fix", "refactor"):
            return revert_life(repository, number, rng, opened, life)
    return None


def milestone_at(opened: int, end: int, *, months: int = 3) -> MilestoneRecord:
    """The quarter's or the month's, as it stands at `end`: closed when that is over. Numbers grow with time."""
    day = instant(opened).date()
    part = (day.month - 1) // months
    years, month = divmod((part + 1) * months, 12)
    due = datetime(day.year + years, month + 1, 1, tzinfo=UTC) - timedelta(days=1)
    return MilestoneRecord(
        number=(day.year - 2000) * (12 // months) + part + 1,
        title=f"{day.year} Q{part + 1}" if months == 3 else f"Release {day.year}.{day.month:02}",
        state="closed" if due < instant(end) else "open",
        due_at=due,
    )


@dataclass(slots=True)
class _Making:
    """A life on its way to being a record: what was before the plan's end, with ids and words."""

    plan: Plan
    repository: DemoRepository
    rng: Dice
    life: Life
    used: int = 0
    end: int = 0
    conversation: list[CommentRecord] = field(default_factory=list)
    remarks: list[CommentRecord] = field(default_factory=list)
    threads: list[ThreadRecord] = field(default_factory=list)

    def record(self) -> PullRequestRecord:
        life = self.life
        self.end = self.plan.end
        is_over = life.ended is not None and life.ended < self.end
        merged = life.ended if is_over and life.is_merged else None
        commits, files = self.commits(), self.files()
        head = commits[-1]
        answers = sorted((a for a in life.answers if self.happened(a.at, merged)), key=lambda answer: answer.at)
        reviews = tuple(self.review(answer) for answer in answers)
        self.chat()
        issue = self.issue()
        parts: dict[Part, tuple[Any, ...]] = {
            Part.LABELS: self.labels(),
            Part.ASSIGNEES: self.assignees(),
            Part.LINKED_ISSUES: self.linked(issue),
            Part.REVIEWS: reviews,
            Part.THREADS: tuple(self.threads),
            Part.REVIEW_COMMENTS: tuple(self.remarks),
            Part.ISSUE_COMMENTS: tuple(self.conversation),
            Part.COMMITS: commits,
            Part.FILES: files,
            Part.EVENTS: self.events(merged, is_over),
            Part.CHECKS: self.checks(head, merged),
        }
        named: dict[str, Any] = {part.value: entries for part, entries in parts.items()}
        return PullRequestRecord(
            **self.core(issue, files, is_over),
            **named,
            head_sha=head.sha,
            merged_at=instant(merged) if merged else None,
            merge_commit_sha=self.sha() if merged else "",
            merged_by=self.merged_by(answers) if merged else None,
            totals={name: len(entries) for name, entries in named.items() if entries},
        )

    def core(self, issue: int | None, files: tuple[FileRecord, ...], is_over: bool) -> dict[str, Any]:
        """What stands on the pull request itself."""
        life = self.life
        ended = life.ended if is_over else None
        is_draft = life.ready is not None and life.ready >= self.end
        months = 1 if self.repository.name in _RELEASED_MONTHLY else 3
        is_planned = self.rng.random() < _IN_MILESTONES.get(life.kind, 0.0)
        return {
            "id": self.id(),
            "number": life.number,
            "node_id": f"demo-pr-{self.repository.index}-{life.number}",
            "title": life.titled.title,
            "state": "open" if ended is None else "merged" if life.is_merged else "closed",
            "is_draft": is_draft,
            "author": life.author,
            "created_at": instant(life.opened),
            "updated_at": instant(self.updated(ended)),
            "body": life.body or body_of(self.rng, life.kind, life.titled.issue, issue),
            "closed_at": instant(ended) if ended else None,
            "additions": sum(file.additions for file in files),
            "deletions": sum(file.deletions for file in files),
            "changed_files": len(files),
            "base_ref": "main",
            "head_ref": self.branch(),
            "head_repository": self.repository.full_name,
            "milestone": milestone_at(life.opened, self.end, months=months) if is_planned else None,
        }

    def branch(self) -> str:
        life = self.life
        if life.kind in ("dependencies", "revert"):
            return life.titled.branch
        whose = "hotfix" if life.kind == "hotfix" else "copilot" if life.author == CODING_AGENT else life.author.login
        return f"{whose}/{life.titled.branch}"

    def issue(self) -> int | None:
        """Which one it closes; every pull request has one of its own to choose, or none."""
        is_one_of_a_plan = self.life.kind not in ("dependencies", "revert") and self.rng.random() < 0.85
        return issue_for(place_of(self.life.number)) if is_one_of_a_plan else None

    def assignees(self) -> tuple[Account, ...]:
        chance = self.rng.random()
        if chance >= (0.25 if self.life.kind == "dependencies" else 0.6):
            return ()
        second = self.life.asked[-1].account
        return tuple(dict.fromkeys((self.life.pusher.account, *((second,) if chance < 0.05 else ()))))

    def happened(self, at: int, merged: int | None) -> bool:
        return at < self.end and (merged is None or at <= merged)

    def id(self) -> int:
        self.used += 1
        return self.repository.first_id + self.life.number * IDS_EACH + self.used

    def sha(self) -> str:
        return f"{self.rng.getrandbits(160):040x}"

    def updated(self, ended: int | None) -> int:
        life = self.life
        said = [comment.created_at.timestamp() for comment in self.conversation + self.remarks]
        times = [life.opened, *life.commits, *life.fixes, *(answer.at for answer in life.answers), ended or 0, *said]
        return int(max(at for at in times if at < self.end))

    def commits(self) -> tuple[CommitRecord, ...]:
        life, rng = self.life, self.rng
        pushed = sorted(at for at in {*life.commits, *life.fixes} if at < self.end) or [life.opened - 60]
        share = (life.opened - self.plan.start) / (self.plan.end - self.plan.start)
        person = life.pusher.account if life.author == life.pusher.account else life.author
        trailer = ""
        if life.pusher.tool and person == life.pusher.account and rng.random() < 0.05 + 0.4 * share:
            trailer = _TRAILERS[life.pusher.tool]
        title = life.titled.title
        return tuple(
            CommitRecord(
                sha=self.sha(),
                authored_at=instant(at),
                committed_at=instant(at),
                message=f"{message_of(rng, is_fix=at in life.fixes) if n else title}{trailer}",
                author=person,
                author_name=person.name,
                author_email=f"{person.login}@{LOGIN}.example",
                committer=person,
            )
            for n, at in enumerate(pushed)
        )

    def files(self) -> tuple[FileRecord, ...]:
        life, rng = self.life, self.rng
        count = max(1, min(12, round(life.lines**0.28) + rng.randint(-1, 1)))
        found: dict[str, FileRecord] = {}
        for n in range(count):
            if life.kind == "dependencies":
                name = ECOSYSTEMS[self.repository.language].files[n % 2]
            else:
                name = file_of(rng, self.repository.language, life.kind, life.titled.subject, n)
            added = rng.randint(1, max(2, 2 * life.lines // count))
            status = "added" if n and rng.random() < 0.15 else "modified"
            found[name] = FileRecord(name, status, added, 0 if status == "added" else rng.randint(0, added // 2 + 1))
        return tuple(found.values())

    def review(self, answer: Answer) -> ReviewRecord:
        id_ = self.id()
        words = APPROVALS if answer.state == "approved" else CHANGES
        for _ in range(answer.asks):
            self.thread(id_, answer)
        return ReviewRecord(
            id_, answer.state, instant(answer.at), answer.reviewer.account, f"demo-review-{id_}", self.rng.choice(words)
        )

    def thread(self, review_id: int, answer: Answer) -> None:
        """What a review asks at a line of the diff, and half of the time what the author says to it."""
        rng, life, node_id = self.rng, self.life, f"demo-thread-{self.id()}"
        place: dict[str, Any] = {
            "path": file_of(rng, self.repository.language, life.kind, life.titled.subject, rng.randint(0, 2)),
            "line": rng.randint(3, 240),
            "thread_node_id": node_id,
        }
        asked = self.comment(answer.reviewer.account, answer.at, rng.choice(ASKS), **place, review_id=review_id)
        self.remarks.append(asked)
        replied = life.pusher.time.after(answer.at, 0.3 + rng.random())
        has_reply = rng.random() < 0.5 and replied < self.end
        if has_reply:
            words = rng.choice(ANSWERS)
            self.remarks.append(self.comment(life.pusher.account, replied, words, **place, in_reply_to=asked.id))
        resolver = life.pusher.account if has_reply or rng.random() < 0.5 else None
        is_outdated = rng.random() < 0.3
        self.threads.append(
            ThreadRecord(node_id, resolver is not None, is_outdated, place["path"], place["line"], resolver)
        )

    def comment(self, author: Account, at: int, body: str, **place: Any) -> CommentRecord:
        """In the conversation, or with a `place` at a line of the diff."""
        id_ = self.id()
        kind = "review" if place else "issue"
        return CommentRecord(id_, kind, instant(at), author, f"demo-comment-{id_}", body, **place)

    def chat(self) -> None:
        """The conversation: a bot's report, and sometimes somebody's word."""
        life, rng = self.life, self.rng
        latest = min(life.ended or self.end, self.end)
        if rng.random() < 0.2 and life.opened + 900 < latest:
            words = f"Coverage {rng.uniform(71, 94):.1f} % ({rng.uniform(-0.6, 0.9):+.1f} points)."
            self.conversation.append(self.comment(COVERAGE_BOT, life.opened + 900, words))
        if rng.random() < 0.3 and latest - life.opened > HOUR:
            someone: Person = rng.choice(self.repository.squad)
            at = someone.time.after(life.opened, rng.expovariate(0.3))
            if at < latest and someone.is_here(at):
                self.conversation.append(self.comment(someone.account, at, rng.choice(REMARKS)))

    def labels(self) -> tuple[LabelRecord, ...]:
        index, rng = self.repository.index, self.rng
        if self.life.kind == "dependencies":
            language = LabelRecord(self.repository.language, "168700", f"demo-label-{index}-language")
            return (LabelRecord(*_KIND_LABELS["dependencies"], f"demo-label-{index}-dependencies"), language)
        found = []
        if rng.random() < 0.25:
            squad = self.repository.squad_name.lower()
            found.append(LabelRecord(f"squad: {squad}", "5319e7", f"demo-label-{index}-squad"))
        if self.life.kind in _KIND_LABELS and rng.random() < 0.85:
            name, color = _KIND_LABELS[self.life.kind]
            found.append(LabelRecord(name, color, f"demo-label-{index}-{self.life.kind}"))
        if self.life.kind == "feature" and rng.random() < 0.12:
            found.append(LabelRecord("needs design", "d4c5f9", f"demo-label-{index}-design"))
        return tuple(found)

    def linked(self, issue: int | None) -> tuple[LinkedIssueRecord, ...]:
        if issue is None:
            return ()
        return (LinkedIssueRecord(self.repository.full_name, issue, self.life.titled.issue),)

    def events(self, merged: int | None, is_over: bool) -> tuple[EventRecord, ...]:
        life, pusher = self.life, self.life.pusher.account
        asks = life.author if life.kind == "dependencies" else pusher
        found = [
            EventRecord(EventKind.REVIEW_REQUESTED, instant(life.waits_since + 20), asks, str(p.account.id), p.account)
            for p in life.asked
        ]
        if life.ready is not None:
            found.append(EventRecord(EventKind.READY_FOR_REVIEW, instant(life.ready), pusher))
        if life.pushed_by_force is not None:
            sha = self.sha()
            found.append(EventRecord(EventKind.FORCE_PUSHED, instant(life.pushed_by_force), pusher, sha, after_sha=sha))
        if is_over and life.ended is not None:
            if merged:
                found.append(EventRecord(EventKind.MERGED, instant(life.ended), pusher))
            found.append(EventRecord(EventKind.CLOSED, instant(life.ended), pusher))
        end = instant(self.end)
        return tuple(sorted((event for event in found if event.occurred_at < end), key=lambda e: e.occurred_at))

    def checks(self, head: CommitRecord, merged: int | None) -> tuple[Any, ...]:
        pushed = int(max(head.committed_at.timestamp(), self.life.opened))
        chance = self.rng.random()
        passes = chance < 0.97 if merged else chance < 0.65
        end = min(self.end, merged + DAY) if merged else self.end
        return tuple(
            checks_of(self.rng, self.repository, head.sha, pushed, first_id=self.id() + 10, end=end, passes=passes)
        )

    def merged_by(self, answers: list[Answer]) -> Account:
        return answers[-1].reviewer.account if answers and self.rng.random() < 0.3 else self.life.pusher.account
