"""Words for generated pull requests: believable, and not only ASCII."""

from __future__ import annotations

from random import Random

PEOPLE = (
    ("mara-lindqvist", "Mara Lindqvist"),
    ("tobias-vogel", "Tobias Vögel"),
    ("ines-carvalho", "Inês Carvalho"),
    ("jakub-nowak", "Jakub Nowak"),
    ("sunniva", "Sunniva Ødegård"),
    ("haruka-t", "田中 遥"),
    ("piotr-z", "Piotr Żółkiewski"),
    ("amelie-rousseau", "Amélie Rousseau"),
    ("dkowalczyk", "Dorota Kowalczyk"),
    ("nikos-p", "Νίκος Παπαδόπουλος"),
    ("oluwaseun", "Oluwaseun Adébáyò"),
    ("lena-ostrowska", "Lena Ostrowska"),
    ("rkapoor", "Rohan Kapoor"),
    ("zuzana-m", "Zuzana Malá"),
    ("chen-wei", "陈伟"),
    ("bjornsson", "Björn Sigurðsson"),
)
BOTS = ("dependabot[bot]", "codecov[bot]", "github-actions[bot]", "renovate[bot]")
LABELS = (
    ("bug", "d73a4a"),
    ("enhancement", "a2eeef"),
    ("refactoring", "c5def5"),
    ("documentation", "0075ca"),
    ("performance", "fbca04"),
    ("needs-design", "e99695"),
    ("área: pagos", "5319e7"),
    ("dependencies", "0366d6"),
    ("hotfix", "b60205"),
)
VERBS = ("Add", "Fix", "Remove", "Refactor", "Speed up", "Document", "Split", "Validate", "Retry", "Cache", "Simplify")
THINGS = (
    "the berth allocation service",
    "container weight parsing",
    "tide table import",
    "login redirects",
    "invoice rounding",
    "the crane scheduler",
    "webhook retries",
    "CSV export of manifests",
    "search for vessels with umlauts (Øresund, Güstrow)",
    "time zones in the arrival board",
    "permission checks on drafts",
    "the 貨物 label printer",
    "database indexes for shipments",
    "pilot booking reminders",
    "rate limiting of the public API",
)
BODIES = (
    "The old path loaded every row to count them. This asks the database instead.",
    "Reported by the night shift: the board froze when a vessel had no call sign.",
    "First part of the split. No behaviour changes here, the second part moves the callers.",
    "Tried with last month's data: from 4.2 s to 180 ms.\n\n- [x] tests\n- [x] changelog\n- [ ] screenshots",
    "Räumt auf, was nach der Umstellung übrig blieb. Keine Änderung am Verhalten.",
    "",
)
REMARKS = (
    "Could this be a plain function? I do not see what the class keeps.",
    "What happens here if the list is empty?",
    "Nice. One nit: the name says less than the old one.",
    "I would rather have this in the query than in Python.",
    "Bitte noch einen Test für den Fall mit zwei Kränen.",
    "This needs a migration, does it not?",
    "👍 much easier to follow now",
    "Why do we swallow this error?",
    "これは要りますか",
)
REPLIES = (
    "Done.",
    "Good catch, fixed.",
    "I kept it: the caller relies on it.",
    "Moved.",
    "Erledigt ✔",
    "Agreed, see the last commit.",
)
VERDICTS = ("Looks good to me.", "Ship it 🚢", "", "Thanks, two small things inside.", "")
COMMITS = (
    "Write the failing test",
    "Make it pass",
    "Address review",
    "Name things better",
    "Handle the empty list",
    "Rebase",
)
PACKAGES = ("django", "httpx", "redis", "pytest", "@types/node", "esbuild", "cryptography", "orjson")
FOLDERS = (
    "src/board",
    "src/berths",
    "src/billing",
    "tests/board",
    "docs",
    "web/static",
    "migrations",
    ".github/workflows",
)
FILES = (
    "models.py",
    "views.py",
    "schedule.py",
    "test_schedule.py",
    "README.md",
    "board.ts",
    "styles.css",
    "ci.yml",
    "größe.py",
)
ASSISTED = (
    ("", "Co-authored-by: aider (gpt-4o) <noreply@aider.chat>"),
    ("", "Co-authored-by: Copilot <175728472+Copilot@users.noreply.github.com>"),
    ("\n\nWritten with Cursor.", "Co-authored-by: Cursor <cursoragent@cursor.com>"),
)
"""A marker for the body and a trailer for the first commit of a change that an assistant helped with."""


def title(random: Random) -> str:
    return f"{random.choice(VERBS)} {random.choice(THINGS)}"


def bump(random: Random) -> str:
    major, minor = random.randint(1, 9), random.randint(0, 30)
    return f"Bump {random.choice(PACKAGES)} from {major}.{minor}.0 to {major}.{minor + 1}.0"


def path(random: Random, index: int) -> str:
    name = random.choice(FILES)
    stem, dot, ending = name.rpartition(".")
    return f"{random.choice(FOLDERS)}/{name}" if index == 0 else f"{random.choice(FOLDERS)}/{stem}_{index}{dot}{ending}"
