"""Who is in the demo organisation: people in squads, the bots, and the repositories with what they are written in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from apps.metrics.demo.dice import Dice, dice
from apps.metrics.demo.names import names_of
from apps.metrics.demo.worktime import HOUR, ZONES, Worktime
from apps.metrics.records import Account

LOGIN = "larkfield"

FIRST_ID = -1_000_000_000
"""Everything that is made up has ids below 0, which no source gives: it can be told from what is real, and removed."""

# Name, languages and the squad that works there. The first is the one that the story is about.
_REPOSITORIES = (
    ("checkout", "python", "Checkout"),
    ("web-shop", "typescript", "Storefront"),
    ("parcels-api", "go", "Parcels"),
    ("courier-app", "kotlin", "Couriers"),
    ("platform", "terraform", "Platform"),
    ("search", "python", "Discovery"),
    ("billing", "python", "Billing"),
    ("data-pipeline", "python", "Data"),
    ("design-system", "typescript", "Design"),
    ("notifications", "go", "Messaging"),
    ("identity", "go", "Identity"),
    ("route-planner", "python", "Routing"),
)
_WEIGHTS = (34, 22, 17, 12, 8, 7, 7, 6, 5, 5, 4, 4)

DEPENDENCY_BOT = Account(FIRST_ID - 1, "dependabot[bot]", "demo-bot-1", "Dependabot", is_bot=True)
COVERAGE_BOT = Account(FIRST_ID - 2, "coverage-report[bot]", "demo-bot-2", "Coverage report", is_bot=True)
DEPLOY_BOT = Account(FIRST_ID - 3, "larkfield-deploy[bot]", "demo-bot-3", "Larkfield deploy", is_bot=True)
CODING_AGENT = Account(FIRST_ID - 4, "copilot-swe-agent", "demo-bot-4", "Copilot", is_bot=True)
BOTS = (DEPENDENCY_BOT, COVERAGE_BOT, DEPLOY_BOT, CODING_AGENT)


@dataclass(frozen=True, slots=True)
class Person:
    """`pace`: how long this reviewer takes, compared with the others. `share`: how often they are asked. `tool`: the
    assistant that they use, "" if none. `leaves`: since when they review nothing.
    """

    account: Account
    time: Worktime
    pace: float
    share: int
    tool: str
    leaves: int | None = None

    def is_here(self, at: int) -> bool:
        return self.leaves is None or at < self.leaves


@dataclass(frozen=True, slots=True)
class DemoRepository:
    """`zone`: where most of the squad live. `prs`: how many pull requests it gets. `first_id`: where the numbers of
    what is in it begin.
    """

    index: int
    name: str
    language: str
    squad_name: str
    zone: str
    squad: tuple[Person, ...]
    prs: int

    @property
    def full_name(self) -> str:
        return f"{LOGIN}/{self.name}"

    @property
    def first_id(self) -> int:
        return (self.index + 1) * -1_000_000_000_000


def repositories_of(seed: int, prs: int, people: int, leaving_at: int) -> tuple[DemoRepository, ...]:
    """Repositories with their squads, for so many pull requests in all. The two who review most in the first one leave
    at `leaving_at`.
    """
    rng = dice(seed, "organisation")
    count = 3 if prs < 400 else 5 if prs < 20_000 else len(_REPOSITORIES)
    weights = _WEIGHTS[:count]
    shares = [prs * weight // sum(weights) for weight in weights]
    shares[0] += prs - sum(shares)
    sizes = [max(3, round(people * weight / sum(weights))) for weight in weights]
    sizes[0] = max(6, sizes[0])
    names = names_of(rng, sum(sizes))
    found = []
    for index, (name, language, squad_name) in enumerate(_REPOSITORIES[:count]):
        first = sum(sizes[:index])
        squad = tuple(_person(rng, first + n, names[first + n], n, index, leaving_at) for n in range(sizes[index]))
        found.append(DemoRepository(index, name, language, squad_name, _home(index), squad, shares[index]))
    return tuple(found)


def _home(index: int) -> str:
    return ZONES[index % len(ZONES)]


def _person(rng: Dice, number: int, name: tuple[str, str], place: int, squad: int, leaving_at: int) -> Person:
    login = f"{name[0]}-{name[1]}".lower()
    home = _home(squad + (rng.random() < 0.25))
    start = rng.choice((8, 9, 9, 10)) * HOUR
    is_leaving = squad == 0 and place < 2
    return Person(
        account=Account(FIRST_ID - 100 - number, login, f"demo-user-{number}", " ".join(name)),
        time=Worktime(home, start, start + 8 * HOUR + HOUR // 2),
        pace=1.9 if place % 5 == 4 else rng.choice((0.7, 0.9, 1.0, 1.2)),
        share=8 if is_leaving else 2 if place < 2 else 1,
        tool=rng.choice(("", "", "Claude", "Claude", "Cursor", "Copilot")),
        leaves=leaving_at if is_leaving else None,
    )


def everybody(repositories: Sequence[DemoRepository]) -> list[Account]:
    return [*BOTS, *(person.account for repository in repositories for person in repository.squad)]
