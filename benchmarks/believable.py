"""Pull requests like those of a busy repository, in memory: the same for the same seed.

The averages a pull request: 4 reviews, 7 comments, 4.5 threads, 5 commits, 8 files, 11 events, 6 checks, 2 labels.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from apps.metrics.records import (
    Account,
    CheckRecord,
    CommentRecord,
    CommitRecord,
    EventKind,
    EventRecord,
    FileRecord,
    LabelRecord,
    MilestoneRecord,
    PullRequestRecord,
    ReviewRecord,
    ThreadRecord,
)

PEOPLE = tuple(Account(1_000 + n, f"dev-{n}", f"U_{n}", f"Developer {n}") for n in range(60))
BOT = Account(999, "ci-helper", "B_1", is_bot=True)
LABELS = tuple(LabelRecord(f"area/{n}", "ededed", f"LA_{n}") for n in range(40))
MILESTONES = tuple(MilestoneRecord(n, f"v1.{n}", node_id=f"MI_{n}") for n in range(1, 9))
TEXT = "the cache keeps a stale entry when its key is renamed so readers see old data until the next restart"
WORDS = TEXT.split()
FOLDERS = ("src/app", "src/api", "tests/unit", "docs", "frontend/components", "infra")
FIRST = datetime(2020, 1, 1, tzinfo=UTC)
REVIEW_STATES = ("commented", "commented", "approved", "changes_requested")


def pull_requests(count: int, *, seed: int = 1) -> Iterator[PullRequestRecord]:
    """`count` pull requests, newest first."""
    for number in range(count, 0, -1):
        yield pull_request(number, random.Random(f"{seed}:{number}"))


def pull_request(number: int, rng: random.Random) -> PullRequestRecord:
    opened = FIRST + timedelta(hours=5 * number, seconds=rng.randrange(3600))
    merged = opened + timedelta(hours=rng.randrange(20, 120))
    author, base = rng.choice(PEOPLE), number * 1_000
    moments = sorted(opened + (merged - opened) * rng.random() for _ in range(24))
    moments = [moment.replace(microsecond=0) for moment in moments]
    commits = tuple(_commit(rng, base + n, author, opened + timedelta(minutes=n)) for n in range(rng.randint(1, 9)))
    reviews = tuple(_review(rng, base + n, moments[n]) for n in range(rng.randint(2, 6)))
    threads = tuple(
        ThreadRecord(f"PRRT_{base + n}", rng.random() < 0.6, False, f"src/app/f{n}.py", n + 1, rng.choice(PEOPLE))
        for n in range(rng.randint(2, 7))
    )
    files = tuple(_file(rng, n) for n in range(rng.randint(2, 14)))
    head = commits[-1].sha
    return PullRequestRecord(
        id=5_000_000_000 + number,
        number=number,
        node_id=f"PR_{number}",
        title=f"Fix {' '.join(rng.sample(WORDS, 6))}",
        state="merged",
        is_draft=False,
        author=author,
        created_at=opened,
        updated_at=merged,
        body=_text(rng, 90),
        url=f"https://github.com/acme/api/pull/{number}",
        merged_by=rng.choice(PEOPLE),
        closed_at=merged,
        merged_at=merged,
        additions=sum(file.additions for file in files),
        deletions=sum(file.deletions for file in files),
        changed_files=len(files),
        base_ref="main",
        head_ref=f"fix/{number}",
        head_sha=head,
        head_repository="acme/api",
        merge_commit_sha=f"{number:040x}",
        milestone=rng.choice(MILESTONES),
        labels=tuple(rng.sample(LABELS, rng.randint(1, 3))),
        assignees=(rng.choice(PEOPLE),),
        reviews=reviews,
        threads=threads,
        review_comments=tuple(_comment(rng, base + n, "review", moments[n + 3], t) for n, t in enumerate(threads)),
        issue_comments=tuple(_comment(rng, base + n, "issue", moments[n], None) for n in range(rng.randint(1, 4))),
        commits=commits,
        files=files,
        events=tuple(_event(rng, n, moment) for n, moment in enumerate(moments[: rng.randint(6, 16)])),
        checks=tuple(_check(rng, base + n, head, merged) for n in range(rng.randint(3, 9))),
        totals={"reviews": len(reviews), "commits": len(commits), "files": len(files)},
    )


def _text(rng: random.Random, words: int) -> str:
    return " ".join(rng.choices(WORDS, k=words))


def _commit(rng: random.Random, n: int, author: Account, at: datetime) -> CommitRecord:
    return CommitRecord(
        sha=f"{n:08x}{rng.getrandbits(128):032x}",
        authored_at=at,
        committed_at=at,
        message=_text(rng, 14),
        author=author,
        author_name=author.name,
        author_email=f"{author.login}@example.com",
        committer=author,
        additions=rng.randrange(60),
        deletions=rng.randrange(30),
        changed_files=rng.randrange(1, 6),
    )


def _review(rng: random.Random, id_: int, at: datetime) -> ReviewRecord:
    state = rng.choice(REVIEW_STATES)
    return ReviewRecord(id_, state, at, rng.choice(PEOPLE), f"PRR_{id_}", _text(rng, 12), updated_at=at)


def _comment(rng: random.Random, id_: int, kind: str, at: datetime, thread: ThreadRecord | None) -> CommentRecord:
    return CommentRecord(
        id=id_,
        kind=kind,
        created_at=at,
        author=rng.choice((*PEOPLE, BOT)),
        node_id=f"C_{kind}_{id_}",
        body=_text(rng, 30),
        updated_at=at,
        path=thread.path if thread else "",
        line=thread.line if thread else None,
        thread_node_id=thread.node_id if thread else "",
    )


def _file(rng: random.Random, n: int) -> FileRecord:
    return FileRecord(
        f"{rng.choice(FOLDERS)}/module_{n}_{rng.randrange(500)}.py", "modified", rng.randrange(80), rng.randrange(40)
    )


def _event(rng: random.Random, n: int, at: datetime) -> EventRecord:
    if n % 4 == 3:
        return EventRecord(EventKind.FORCE_PUSHED, at, rng.choice(PEOPLE), f"{n:040x}", after_sha=f"{n:040x}")
    asked = rng.choice(PEOPLE)
    return EventRecord(EventKind.REVIEW_REQUESTED, at, rng.choice(PEOPLE), asked.login, asked, f"RRE_{n}")


def _check(rng: random.Random, id_: int, sha: str, at: datetime) -> CheckRecord:
    started = at - timedelta(minutes=rng.randint(20, 90))
    return CheckRecord(
        id=id_,
        name=f"test ({id_ % 1000})",
        head_sha=sha,
        status="completed",
        conclusion=rng.choice(("success", "success", "success", "failure")),
        started_at=started,
        completed_at=started + timedelta(seconds=rng.randint(30, 900)),
        app="GitHub Actions",
        workflow="CI",
        url=f"https://github.com/acme/api/actions/runs/{id_}",
    )
