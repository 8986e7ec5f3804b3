"""One test for each marker of a coding agent, and what is none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from apps.metrics.calculations import ai, derive
from apps.metrics.records import Account
from apps.metrics.tests.histories import AUTHOR, commit, pull_request

RENOVATE = Account(29139614, "renovate[bot]", is_bot=True)


def tools(**fields) -> tuple[str, ...]:
    derived = derive(pull_request(**fields))
    assert derived.ai_assisted is bool(derived.ai_tools)
    return derived.ai_tools


def by_message(message: str) -> tuple[str, ...]:
    return tools(commits=(commit(1, message=message),))


@pytest.mark.parametrize(("login", "tool"), sorted(ai.BOTS.items()))
def test_it_knows_the_bot(login, tool):
    assert tools(author=Account(5, f"{login}[bot]", is_bot=True)) == (tool,)
    assert tools(author=Account(5, login.title(), is_bot=True)) == (tool,)
    assert tools(commits=(commit(1, author=Account(5, f"{login}[bot]", is_bot=True)),)) == (tool,)


@pytest.mark.parametrize("login", sorted(ai.BOTS.keys() - ai.USERS.keys()))
def test_it_does_not_take_a_person_of_the_same_login_for_the_bot(login):
    assert tools(author=Account(81847, login)) == ()
    assert tools(author=Account(81847, f"{login}-fan[bot]", is_bot=True)) == ()


@pytest.mark.parametrize(("login", "tool"), sorted(ai.USERS.items()))
def test_it_knows_the_user_account(login, tool):
    assert tools(author=Account(5, login)) == (tool,)


@pytest.mark.parametrize(("email", "tool"), sorted(ai.EMAILS.items()))
def test_it_knows_the_e_mail(email, tool):
    assert by_message(f"Retry\n\nCo-authored-by: Some Name <{email}>") == (tool,)
    assert by_message(f"Retry\n\nCO-AUTHORED-BY: Some Name <{email.upper()}>\r\nSigned-off-by: A <a@b.c>") == (tool,)
    assert tools(commits=(commit(1, author_email=email),)) == (tool,)
    assert tools(body=f"Words.\n\nCo-authored-by: Some Name <{email}>") == (tool,)
    assert by_message(f"Retry\n\nCo-authored-by: Some Name <not-{email}>") == ()


@pytest.mark.parametrize(("login", "tool"), sorted(ai.NOREPLY_LOGINS.items()))
def test_it_knows_the_address_at_github(login, tool):
    numbered = login if "+" in login else f"123+{login}"
    assert by_message(f"Retry\n\nCo-authored-by: Name <{numbered}@users.noreply.github.com>") == (tool,)
    assert tools(commits=(commit(1, author_email=f"{numbered}@users.noreply.github.com"),)) == (tool,)


@pytest.mark.parametrize(("key", "value", "tool"), ai.TRAILERS)
def test_it_knows_the_trailer(key, value, tool):
    assert by_message(f"Retry\n\n{key.title()}: {value.title()}-1") == (tool,)
    assert by_message(f"Retry\n\n{key.title()}: nobody") == ()
    assert by_message(f"Retry, as {key}: {value} has it") == ()


@pytest.mark.parametrize(("phrase", "tool"), ai.LINES)
def test_it_knows_the_line(phrase, tool):
    assert tools(body=f"Words.\n\n🤖 {phrase.capitalize()}") == (tool,)
    assert tools(body=f"Words.\r\n\r\n---\r\n*{phrase}* and more") == (tool,)
    assert by_message(f"Retry\n\n{phrase}") == (tool,)
    assert tools(body=phrase) == (tool,)
    assert tools(body=f"No {phrase}\n{phrase}") == (tool,)
    assert tools(body=f"> 🤖 {phrase}") == ()
    assert tools(body=f"We forbid `{phrase}`") == ()
    assert tools(body=f"We forbid bodies with {phrase}") == ()


@pytest.mark.parametrize(("link", "tool"), ai.LINKS)
def test_it_knows_the_link(link, tool):
    assert tools(body=f"**Link to the run**: {link}_01abc") == (tool,)
    assert tools(body=link.rpartition("/")[0].rpartition("/")[0] + "/") == ()


@pytest.mark.parametrize(("marker", "tool"), ai.COMMENTS)
def test_it_knows_the_hidden_comment(marker, tool):
    assert tools(body=f"{marker.upper()}\nWords.") == (tool,)


def test_it_knows_the_author_name_that_aider_leaves():
    assert tools(commits=(commit(1, author_name="Ada Byron (aider)"),)) == ("Aider",)
    assert tools(commits=(commit(1, author_name="Ada Byron"),)) == ()


@pytest.mark.parametrize(
    "message",
    [
        "Co-authored-by: Claude Monet <claude@example.com>",
        "Co-authored-by: Devin Smith <devin@example.com>",
        "Co-authored-by: Jules Verne <1+jules@users.noreply.github.com>",
        "Co-authored-by: Claude <81847+claude@users.noreply.github.com>",
        "Co-authored-by: copilot <5+copilot@users.noreply.github.com>",
        "Co-authored-by: dependabot[bot] <49699333+dependabot[bot]@users.noreply.github.com>",
        "Co-authored-by: Claude",
        "Move the cursor of the database",
        "Document how we use Claude Code and Copilot",
        "Signed-off-by: Somebody <noreply@anthropic.com.example.org>",
        "Reviewed-by: Claude <noreply@anthropic.com>",
        "",
    ],
)
def test_it_takes_neither_names_nor_prose_for_a_trace(message):
    assert tools(body=message, commits=(commit(1, message=f"Retry\n\n{message}"),)) == ()


def test_it_names_each_agent_once_in_order():
    pr = pull_request(
        author=Account(198982749, "Copilot", is_bot=True),
        body="🤖 Generated with [Claude Code](https://claude.com/claude-code)",
        commits=(
            commit(1, message="A\n\nCo-Authored-By: Claude Opus 4.5 <noreply@anthropic.com>"),
            commit(2, message="B\n\nCo-authored-by: aider (gpt-5) <aider@aider.chat>"),
        ),
    )
    assert derive(pr).ai_tools == ("Aider", "Claude Code", "GitHub Copilot")


def test_it_does_not_read_release_notes_that_a_bot_quotes():
    body = "### Release notes\n\n🤖 Generated with [Claude Code](https://claude.com/claude-code)"
    pr = pull_request(author=RENOVATE, body=body)
    assert derive(pr).ai_tools == ()
    assert derive(replace(pr, author=AUTHOR)).ai_tools == ("Claude Code",)


def test_it_does_not_call_what_others_wrote_without_a_trace_assisted():
    derived = derive(pull_request(commits=(commit(1, message="Retry", author=AUTHOR),)))
    assert (derived.ai_assisted, derived.ai_tools) == (False, ())
