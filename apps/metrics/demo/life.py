"""What happened to one pull request, from its first commit to its end: who did what when, nothing of its shape."""

from __future__ import annotations

from dataclasses import dataclass, field

from apps.metrics.demo.dice import Dice
from apps.metrics.demo.numbering import is_hotfix, place_of, upgrade_of
from apps.metrics.demo.organisation import CODING_AGENT, DEPENDENCY_BOT, DemoRepository, Person
from apps.metrics.demo.plan import Plan
from apps.metrics.demo.titles import Titled, dependencies_title, hotfix_title, kind_and_title
from apps.metrics.demo.upgrades import Upgrade, upgrade
from apps.metrics.demo.worktime import DAY, HOUR
from apps.metrics.records import Account

CROWDED = 4.5
"""How much longer a first review takes in the first repository once its two busiest reviewers are gone."""

_LONG_DRAFTS = 0.06
"""Of what people open: it stays a draft for weeks. Nearly all that are drafts at the plan's end are of these."""


@dataclass(slots=True)
class Answer:
    """A review. `state` as in records; `asks`: how many threads it opens."""

    reviewer: Person
    at: int
    state: str
    asks: int = 0


@dataclass(slots=True)
class Life:
    """Instants in whole seconds, in no promised order, some of them perhaps after the end of the plan: whoever makes
    records of it leaves those out. `pusher`: who commits and merges (of a bot's: somebody of the squad). `ended`: when
    it was merged, or closed if not `is_merged`; None: it stays open.
    """

    number: int
    kind: str
    titled: Titled
    author: Account
    pusher: Person
    opened: int
    lines: int
    body: str = ""
    commits: list[int] = field(default_factory=list)
    fixes: list[int] = field(default_factory=list)
    ready: int | None = None
    asked: list[Person] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    pushed_by_force: int | None = None
    ended: int | None = None
    is_merged: bool = False

    @property
    def waits_since(self) -> int:
        return self.opened if self.ready is None else self.ready


def life_of(plan: Plan, repository: DemoRepository, number: int, rng: Dice) -> Life:
    """Everything but reverts: those are about another pull request."""
    opened = plan.opened(repository, number)
    author = _somebody(rng, repository, opened)
    chance = rng.random()
    if is_hotfix(number):
        titled = hotfix_title(plan.seed, repository, place_of(number))
        return _hotfix(
            repository, Life(number, "hotfix", titled, author.account, author, opened, rng.randint(2, 25)), rng
        )
    if (count := upgrade_of(number)) is not None:
        return _upgrade(repository, number, rng, author, opened, upgrade(repository.language, count))
    kind, titled = kind_and_title(plan.seed, repository, place_of(number))
    life = Life(number, kind, titled, author.account, author, opened, int(rng.spread(55, 1.2)) + 1)
    if chance < 0.027 and opened > plan.start + (plan.end - plan.start) // 2:
        life.author = CODING_AGENT
    _write(rng, life)
    _ask(rng, repository, life)
    _review(plan, repository, rng, life)
    _end(rng, repository, life)
    return life


def _somebody(rng: Dice, repository: DemoRepository, at: int) -> Person:
    """Of the squad, mostly somebody who works just then; few work on weekends."""
    here = [person for person in repository.squad if person.is_here(at + 7 * DAY)]
    for _ in range(4):
        person = rng.choice(here)
        if person.time.is_working(at):
            return person
    return person


def _write(rng: Dice, life: Life) -> None:
    """The commits that it is opened with, and for how long it is a draft."""
    time, count = life.pusher.time, min(6, 1 + int(rng.expovariate(1.1)))
    worked = rng.spread(5, 0.5)
    life.commits = [time.before(life.opened, worked * (count - n) / count) for n in range(count)]
    chance = rng.random()
    if chance < 0.16:
        life.ready = time.after(life.opened, rng.spread(130 if chance < _LONG_DRAFTS else 4, 0.8))
        life.commits.append(time.before(life.ready, 0.2))


def _ask(rng: Dice, repository: DemoRepository, life: Life) -> None:
    """Whose review is requested: the leads of a squad most."""
    others = [p for p in repository.squad if p is not life.pusher and p.is_here(life.waits_since)]
    weights = [person.share for person in others]
    first = rng.choices(others, weights)[0]
    life.asked = [first]
    if rng.random() < 0.3 and len(others) > 1:
        life.asked.append(rng.choice([person for person in others if person is not first]))


def _review(plan: Plan, repository: DemoRepository, rng: Dice, life: Life) -> None:
    if (life.kind in ("docs", "chore") and rng.random() < 0.2) or rng.random() < 0.015:
        return  # merged without
    reviewer, wait = life.asked[0], rng.spread(1.6, 0.5)
    if repository.index == 0 and life.waits_since >= plan.left_at:
        wait *= CROWDED
    if life.lines > 400:
        wait *= 1.4
    at = reviewer.time.after(life.waits_since, wait * reviewer.pace)
    rounds = rng.choices((0, 1, 2, 3), (54, 33, 10, 3) if life.lines < 200 else (34, 42, 17, 7))[0]
    for _ in range(rounds):
        state = "changes_requested" if rng.random() < 0.7 else "commented"
        life.answers.append(Answer(reviewer, at, state, rng.randint(1, 2)))
        fixed = life.pusher.time.after(at, rng.spread(2.5, 0.9))
        life.fixes.append(fixed)
        at = reviewer.time.after(fixed, rng.spread(1.2, 0.7) * reviewer.pace)
    if not rounds and rng.random() < 0.25:  # a question first, answered without another commit
        life.answers.append(Answer(reviewer, at, "commented", 1))
        at = reviewer.time.after(at, rng.spread(1.5, 0.7))
    life.answers.append(Answer(reviewer, at, "approved"))
    if len(life.asked) > 1 and rng.random() < 0.5 and life.asked[1].is_here(at):
        second = life.asked[1]
        life.answers.append(Answer(second, second.time.after(life.waits_since, wait * second.pace * 1.3), "commented"))
    _hand_over(rng, repository, life)
    if rounds and rng.random() < 0.12:
        life.pushed_by_force = life.fixes[-1] + 90
    if rng.random() < 0.08:  # something comes to mind once it is approved
        life.fixes.append(life.pusher.time.after(max(answer.at for answer in life.answers), rng.spread(1.5, 0.8)))


def _hand_over(rng: Dice, repository: DemoRepository, life: Life) -> None:
    """What somebody would have reviewed who has left by then is another one's."""
    for answer in life.answers:
        if not answer.reviewer.is_here(answer.at):
            others = [p for p in repository.squad if p.is_here(answer.at) and p is not life.pusher]
            answer.reviewer = rng.choice(others)


def _end(rng: Dice, repository: DemoRepository, life: Life) -> None:
    """Merged some time after the last word; a few are given up, at once or after weeks in which nobody looks."""
    last = max([life.waits_since, *life.fixes, *(answer.at for answer in life.answers)])
    chance = rng.random()
    if chance < 0.025:
        life.answers = life.answers[:1]
        life.fixes, life.pushed_by_force = [], None
        life.ended = max(life.opened + 45 * DAY, life.waits_since + 20 * DAY)
    elif chance < 0.07:
        life.answers = [answer for answer in life.answers if answer.state != "approved"]
        life.ended = life.pusher.time.after(last, rng.spread(6, 0.8))
    else:
        life.is_merged = True
        life.ended = max(last + 15 * 60, life.pusher.time.after(last, rng.spread(0.9, 1.0)))


def _hotfix(repository: DemoRepository, life: Life, rng: Dice) -> Life:
    life.commits = [life.opened - 300]
    approved = life.opened + rng.randint(6, 25) * 60
    _ask(rng, repository, life)
    life.answers = [Answer(life.asked[0], approved, "approved")]
    life.ended, life.is_merged = approved + rng.randint(16, 25) * 60, True
    return life


def _upgrade(
    repository: DemoRepository, number: int, rng: Dice, somebody: Person, opened: int, proposed: Upgrade
) -> Life:
    """A dependency bot's: approved and merged when somebody gets round to it, or closed for a later one."""
    titled = dependencies_title(repository, proposed)
    life = Life(number, "dependencies", titled, DEPENDENCY_BOT, somebody, opened, rng.randint(2, 60), proposed.body)
    life.commits = [opened - 60]
    life.asked = [somebody]
    at = somebody.time.after(opened, rng.spread(9, 1.0))
    if proposed.is_dropped:
        life.ended = at
        return life
    life.answers = [Answer(somebody, at, "approved")] if somebody.is_here(at) else []
    life.ended, life.is_merged = at + 20 * 60, True
    return life


def revert_life(repository: DemoRepository, number: int, rng: Dice, opened: int, undone: Life) -> Life:
    """Takes back what `undone` brought, within the hour."""
    author = _somebody(rng, repository, opened)
    was = undone.titled
    branch = f"revert-{undone.number}-{was.branch}"
    titled = was._replace(title=f'Revert "{was.title}"', branch=branch, issue=f"Incident after #{undone.number}")
    life = Life(number, "revert", titled, author.account, author, opened, undone.lines)
    life.body = f"Reverts {repository.full_name}#{undone.number}\n\nErrors in production since it was deployed."
    life.commits = [opened - 60]
    _ask(rng, repository, life)
    approved = opened + rng.randint(4, 15) * 60
    life.answers = [Answer(life.asked[0], approved, "approved")]
    life.ended, life.is_merged = approved + HOUR // 4 + 60, True
    return life
