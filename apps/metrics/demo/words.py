"""What people write: titles, descriptions, remarks, and the files that they change."""

from __future__ import annotations

from typing import NamedTuple

from apps.metrics.demo.dice import Dice

THINGS = {
    "checkout": "voucher codes|the basket total|guest checkout|address validation|the payment form|3-D Secure|refunds"
    "|the order summary|delivery slots|tax rounding|saved cards|the order confirmation",
    "web-shop": "the product page|the cookie banner|the size filter|image loading|the search box|the wish list"
    "|the navigation|the recently viewed list|keyboard focus|the sale badge|the sitemap|dark mode",
    "parcels-api": "label printing|tracking numbers|the carrier webhook|weight limits|customs forms|the rate table"
    "|pickup requests|return labels|idempotency keys|the event feed|pagination|parcel lockers",
    "courier-app": "offline mode|the route list|proof of delivery|the barcode scanner|push messages|battery use"
    "|sign-in|the map tiles|shift changes|failed deliveries|photo upload|crash reports",
    "platform": "the staging cluster|log retention|database backups|the build cache|secret rotation|autoscaling"
    "|the message queue|alert routing|the base image|DNS failover|certificates|network policies",
}
_ANYWHERE = (
    "the importer|retry handling|the audit log|the nightly job|permission checks|the settings page|time zones"
    "|the health check|the CSV export|error messages|caching|the query planner hints"
)
_PATTERNS = {
    "feature": ("Add {0} to {1}", "Let customers change {0}", "Show {0} next to {1}", "Support several kinds of {0}"),
    "fix": ("Fix {0} when {1} is empty", "Do not lose {0} on a time-out", "Handle a missing entry in {0}"),
    "hotfix": ("Hotfix: {0} fails since the last release", "Hotfix: stop errors from {0}"),
    "refactor": ("Move {0} out of {1}", "Simplify {0}", "Split {0} into smaller parts", "Remove what is left of {0}"),
    "test": ("Test {0} with real data", "Make the tests of {0} independent of the clock"),
    "docs": ("Describe how {0} works", "Explain {0} to newcomers", "Say who is on call for {0}"),
    "chore": ("Upgrade the tools behind {0}", "Lower the log level of {0}", "Count what {0} costs"),
}
_WHY = (
    "Support had several tickets about this last week.",
    "It came up in the review of the quarter.",
    "We agreed on this in the design meeting; the notes are in the wiki.",
    "This is the first of two steps, the second removes the old way.",
    "Nothing changes for those who do not use it.",
    "It is behind a flag and off by default.",
    "The numbers on the dashboard were wrong because of it.",
    "Found while looking into something else.",
)
_HOW = (
    "I kept the interface as it was and changed only what is behind it.",
    "The tests cover the cases from the ticket and two more that I could think of.",
    "There is a migration; it takes a second on a copy of production.",
    "I measured it before and after: the slowest tenth is about twice as quick.",
    "Best reviewed commit by commit.",
    "Screens are in the ticket.",
)
ASKS = (
    "Could this be simpler if the check came first?",
    "What happens when the list is empty?",
    "I would rather not swallow the error here.",
    "Please add a test for the second case.",
    "This name confuses me: it is not a count.",
    "Is this still needed once the flag is gone?",
    "This runs a query for each row, doesn't it?",
    "Can we reuse what is in the other module?",
)
ANSWERS = (
    "Good point, changed.",
    "Done.",
    "It is needed for the old clients, I added a comment.",
    "Right, I moved it up.",
    "I would leave that for the next step.",
    "Added a test.",
)
REMARKS = (
    "Tried it on staging, works for me.",
    "This will clash with the work on the other branch, please rebase before merging.",
    "Nice, I was waiting for this.",
    "Can we wait until the release is out?",
    "The failing check is the known flaky one, I ran it again.",
    "Who should know about this besides us?",
)
APPROVALS = ("", "", "", "Looks good.", "Thanks, this reads well now.", "Nice one.")
CHANGES = ("A few things before this can go in.", "Please have a look at my remarks.", "", "Almost there.")

_FOLDERS = {
    "python": (("app/services/{}.py", "app/views/{}.py", "app/models/{}.py"), "tests/test_{}.py"),
    "typescript": (("src/components/{}.tsx", "src/pages/{}.tsx", "src/lib/{}.ts"), "src/__tests__/{}.test.ts"),
    "go": (("internal/{}/handler.go", "internal/{}/store.go", "cmd/server/{}.go"), "internal/{}/handler_test.go"),
    "kotlin": (("app/src/main/kotlin/{}.kt", "app/src/main/res/layout/{}.xml"), "app/src/test/kotlin/{}Test.kt"),
    "terraform": (("modules/{}/main.tf", "modules/{}/variables.tf", "environments/{}.tf"), "tests/{}.tftest.hcl"),
}
_DOCS = ("docs/{}.md", "README.md")
_PACKAGES = (
    "requests",
    "lodash",
    "zod",
    "pydantic",
    "grpc-go",
    "okhttp",
    "vite",
    "ruff",
    "pytest",
    "axios",
    "sentry-sdk",
)


class Titled(NamedTuple):
    """`subject`: what the branch and the files are named after."""

    title: str
    subject: str


def title_of(rng: Dice, kind: str, repository: str) -> Titled:
    things = THINGS.get(repository, _ANYWHERE).split("|")
    first, second = rng.sample(things, 2)
    return Titled(rng.choice(_PATTERNS[kind]).format(first, second), slug(first))


def upgrade_title(rng: Dice) -> Titled:
    package, major, minor = rng.choice(_PACKAGES), rng.randint(1, 9), rng.randint(0, 30)
    return Titled(f"Bump {package} from {major}.{minor}.0 to {major}.{minor + 1}.0", f"dependencies-{package}")


def slug(thing: str) -> str:
    return thing.removeprefix("the ").replace(" ", "-").replace("-D", "D").lower()


def body_of(rng: Dice, issue: int | None) -> str:
    text = f"{rng.choice(_WHY)} {rng.choice(_HOW)}"
    return f"{text}\n\nCloses #{issue}" if issue else text


def file_of(rng: Dice, language: str, kind: str, subject: str, n: int) -> str:
    """The `n`th file that a pull request changes: every third one a test."""
    name = subject.replace("-", "_")
    sources, test = _FOLDERS[language]
    if kind == "docs" or rng.random() < 0.05:
        path = _DOCS[n % 2].format(subject)
    elif n % 3 == 1 or kind == "test":
        path = test.format(name)
    else:
        path = sources[n % len(sources)].format(name)
    if n < 2:
        return path
    folder, _, last = path.rpartition("/")
    return f"{folder}/part{n}/{last}" if folder else last
