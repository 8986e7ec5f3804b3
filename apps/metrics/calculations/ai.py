"""Traces of coding agents (docs/metrics.md, "AI-assisted").

Only what a tool leaves by itself and nothing else means: its bot's account, its e-mail in a co-author trailer or as
the author of a commit, a trailer of its own, a line or link that it adds to the body. Names alone prove nothing
(Claude, Devin and Jules are people's names, a cursor is a thing in a database), and neither does prose about a tool.
Tools that review are not tools that write: their comments leave no trace here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from apps.metrics.calculations.people import default_rule
from apps.metrics.records import Account, CommitRecord, PullRequestRecord

AIDER = "Aider"
AMAZON_Q = "Amazon Q Developer"
AMP = "Amp"
CLAUDE = "Claude Code"
CLINE = "Cline"
CODEX = "OpenAI Codex"
COPILOT = "GitHub Copilot"
CURSOR = "Cursor"
DEVIN = "Devin"
DROID = "Factory Droid"
GEMINI = "Gemini Code Assist"
JULES = "Google Jules"
OPENCODE = "opencode"
OPENHANDS = "OpenHands"
REPLIT = "Replit Agent"
SWEEP = "Sweep"

# The logins of the agents' GitHub apps without their "[bot]"; they count for bots only. GraphQL leaves the suffix out.
BOTS = {
    "amazon-q-developer": AMAZON_Q,
    "anthropic-claude": CLAUDE,
    "anthropic-code-agent": CLAUDE,
    "chatgpt-codex-connector": CODEX,
    "claude": CLAUDE,
    "claude-code-action": CLAUDE,
    "cline": CLINE,
    "copilot": COPILOT,
    "copilot-swe-agent": COPILOT,
    "cursor": CURSOR,
    "cursoragent": CURSOR,
    "devin-ai-integration": DEVIN,
    "factory-droid": DROID,
    "gemini-code-assist": GEMINI,
    "google-labs-jules": JULES,
    "openai-code-agent": CODEX,
    "openai-codex": CODEX,
    "opencode-agent": OPENCODE,
    "sweep-ai": SWEEP,
    "sweep-nightly": SWEEP,
}

# Ordinary user accounts that belong to an agent.
USERS = {
    "cursoragent": CURSOR,
    "openhands-agent": OPENHANDS,
}

# E-mails of co-author trailers and of the authors of commits, complete and in lower case.
EMAILS = {
    "agent@replit.com": REPLIT,
    "aider@aider.chat": AIDER,
    "amp@ampcode.com": AMP,
    "codex@openai.com": CODEX,
    "copilot@github.com": COPILOT,
    "cursoragent@cursor.com": CURSOR,
    "noreply@aider.chat": AIDER,
    "noreply@anthropic.com": CLAUDE,
    "noreply@openai.com": CODEX,
    "noreply@opencode.ai": OPENCODE,
    "openhands@all-hands.dev": OPENHANDS,
}

# The same for accounts at GitHub: `<number>+<login>@users.noreply.github.com`. The number matters where the login
# is not a bot's name: these are GitHub Copilot's.
NOREPLY_LOGINS = {
    **{f"{login}[bot]": tool for login, tool in BOTS.items()},
    **USERS,
    "198982749+copilot": COPILOT,
    "223556219+copilot": COPILOT,
    "175728472+copilot": COPILOT,
    # Writes the fixes of "Copilot Autofix".
    "62310815+github-advanced-security[bot]": COPILOT,
}

# Other trailers: key and the value's beginning, in lower case.
TRAILERS = (
    ("assisted-by", "claude:", CLAUDE),
    ("made-with", "cursor", CURSOR),
    ("amp-thread-id", "https://ampcode.com/threads/", AMP),
    ("replit-commit-author", "agent", REPLIT),
    ("replit-commit-author", "assistant", REPLIT),
)

# What a line of the body (or of a commit message) begins with, decoration aside, in lower case.
LINES = (
    ("generated with [claude code](https://", CLAUDE),
    ("generated with [codex](https://openai.com/codex", CODEX),
    ("generated with [devin](", DEVIN),
    ("generated with [opencode](https://opencode.ai", OPENCODE),
    ("made with [cursor](https://cursor.com", CURSOR),
    ("pr created automatically by jules for task", JULES),
)

# Links to the session that wrote the change, in lower case.
LINKS = (
    ("https://app.devin.ai/sessions/", DEVIN),
    ("https://chatgpt.com/codex/tasks/task", CODEX),
    ("https://jules.google.com/task/", JULES),
    ("https://claude.ai/code/session_", CLAUDE),
)

# Comments that Cursor's agents put around the body that they write (its reviewer puts others).
COMMENTS = (("<!-- cursor_agent_pr_body_begin -->", CURSOR),)

_TRAILER = re.compile(r"^[ \t]*(?P<key>[a-z]+(?:-[a-z]+)+):[ \t]*(?P<value>\S.*)$", re.MULTILINE)
_ADDRESS = re.compile(r"<\s*([^<>\s]+@[^<>\s]+)\s*>")
_NOREPLY = re.compile(r"(?P<numbered>(?:\d+\+)?(?P<login>[^@+]+))@users\.noreply\.")
# Letters, digits, a quotation (>) or code (`) before the phrase make it a mention.
_MENTION = re.compile(r"[^\W_]|[`>]")

# `aider --attribute-author` appends this to the name of the one who commits.
_AIDER_AUTHOR = " (aider)"


def ai_tools_of(pull_request: PullRequestRecord) -> tuple[str, ...]:
    """The names of the coding agents that left a trace in a pull request, sorted; empty when none did."""
    tools = {_of_account(pull_request.author)}
    # The bots that update dependencies quote other projects' release notes, with the traces in them.
    if not default_rule(pull_request.author) or tools != {None}:
        tools.update(_of_text(pull_request.body))
    for commit in pull_request.commits or ():
        tools.update(_of_commit(commit))
    return tuple(sorted(tool for tool in tools if tool is not None))


def _of_account(account: Account | None) -> str | None:
    if account is None:
        return None
    login = account.login.lower()
    if login.endswith("[bot]"):
        return BOTS.get(login[:-5])
    return BOTS.get(login) if account.is_bot else USERS.get(login)


def _of_commit(commit: CommitRecord) -> Iterable[str | None]:
    yield _of_account(commit.author)
    yield _of_email(commit.author_email.lower())
    if commit.author_name.endswith(_AIDER_AUTHOR):
        yield AIDER
    yield from _of_text(commit.message)


def _of_email(email: str) -> str | None:
    if email in EMAILS:
        return EMAILS[email]
    noreply = _NOREPLY.match(email)
    if noreply is None:
        return None
    return NOREPLY_LOGINS.get(noreply["numbered"]) or NOREPLY_LOGINS.get(noreply["login"])


def _of_text(text: str) -> Iterable[str | None]:
    if not text:
        return
    text = text.lower()
    for link, tool in LINKS + COMMENTS:
        if link in text:
            yield tool
    for phrase, tool in LINES:
        if phrase in text and _begins_a_line(text, phrase):
            yield tool
    if "-by:" in text or any(key in text for key, _, _ in TRAILERS):
        for trailer in _TRAILER.finditer(text):
            yield _of_trailer(trailer["key"], trailer["value"])


def _begins_a_line(text: str, phrase: str) -> bool:
    position = text.find(phrase)
    while position >= 0:
        before = text[text.rfind("\n", 0, position) + 1 : position]
        if not _MENTION.search(before):
            return True
        position = text.find(phrase, position + 1)
    return False


def _of_trailer(key: str, value: str) -> str | None:
    if key == "co-authored-by":
        address = _ADDRESS.search(value)
        return _of_email(address[1]) if address else None
    return next((tool for name, beginning, tool in TRAILERS if key == name and value.startswith(beginning)), None)
