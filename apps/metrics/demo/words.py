"""What people write below a title: descriptions, remarks, and the files that they change."""

from __future__ import annotations

from apps.metrics.demo.dice import Dice

_WHY = {
    "feature": (
        "We agreed on this in the design meeting; the notes are in the wiki.",
        "Nothing changes for those who do not use it.",
        "Two squads wait for it.",
        "It came up in the review of the quarter.",
        "Support gets asked for this every week.",
        "This is the smallest step that is of use; the rest can follow.",
        "The prototype from last month was well received.",
    ),
    "fix": (
        "Support had several tickets about this last week.",
        "The numbers on the dashboard were wrong because of it.",
        "Found while looking into something else.",
        "It must have been like this since spring.",
        "I could reproduce it on staging.",
        "Small, but it comes up every week.",
        "See the thread in the squad's channel.",
    ),
    "": (
        "Found while looking into something else.",
        "It came up in the last retrospective.",
        "It was on the list since the last incident.",
        "Behaviour stays as it is.",
        "I had an hour between two meetings.",
        "The next ticket needs it.",
        "We said that we would do one of these every week.",
    ),
}
"""By kind; "" of all others."""

_HOW = (
    "I kept the interface as it was and changed only what is behind it.",
    "The tests cover the cases from the ticket and two more that I could think of.",
    "There is a migration; it takes a second on a copy of production.",
    "I measured it before and after: the slowest tenth is about twice as quick.",
    "Best reviewed commit by commit.",
    "Screenshots are in the ticket.",
    "Tried it on staging with last week's data.",
    "No migration, no new settings.",
    "The diff looks large, most of it is moved code.",
    "I would like somebody to look at the error paths in particular.",
)
_CLOSING = ("Closes", "Closes", "Fixes", "Resolves")
_WORKED = (
    "Add tests",
    "Handle the empty case",
    "Rename a few things",
    "Make the linter happy",
    "Update the snapshot",
    "Use the helper",
    "Add the missing case",
    "Remove what is not needed any more",
)
_FIXED = (
    "Address the review",
    "Check first, as suggested",
    "Better names",
    "Test the second case as well",
    "Remove the query per row",
    "Fix a typo",
    "Say why in a comment",
    "Merge main",
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
_DOCS = ("docs/{}.md", "README.md", "docs/runbooks/{}.md", "CHANGELOG.md", "docs/decisions/{}.md")
_ASPECTS = ("core", "rules", "client", "store", "format", "events")


def body_of(rng: Dice, kind: str, about: str, issue: int | None) -> str:
    """`about`: what the pull request is there for, a sentence."""
    text = f"{about}. {rng.choice(_WHY.get(kind, _WHY['']))}\n\n{rng.choice(_HOW)}"
    return f"{text}\n\n{rng.choice(_CLOSING)} #{issue}" if issue else text


def message_of(rng: Dice, *, is_fix: bool) -> str:
    """Of a commit after the first one; `is_fix`: since it was reviewed."""
    return rng.choice(_FIXED if is_fix else _WORKED)


def file_of(rng: Dice, language: str, kind: str, subject: str, n: int) -> str:
    """The `n`th file that a pull request changes: every third one a test. No two of them are the same."""
    name = subject.replace("-", "_")
    sources, test = _FOLDERS[language]
    part = f"{name}_{_ASPECTS[n // 3 % len(_ASPECTS)]}" if n > 2 else name
    if kind == "docs" or rng.random() < 0.05:
        return _DOCS[n % len(_DOCS)].format(subject)
    if n % 3 == 1 or kind == "test":
        return test.format(part)
    return sources[n % len(sources)].format(part)
