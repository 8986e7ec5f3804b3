import logging

import pytest
import structlog
from django.test import Client

from apps.common.logs import formatter, redact, redact_report


def test_an_error_report_leaves_without_secrets() -> None:
    token = "ghp_" + "a1B2" * 9
    report = {
        "request": {
            "url": "https://tf.example/accounts/password/reset/key/1-c9x8y7-0a1b2c/",
            "query_string": "code=0123456789abcdef&state=0123456789abcdef",
            "method": "GET",
        },
        "exception": {"values": [{"type": "ValueError", "value": f"no {token}"}]},
        "breadcrumbs": {"values": [{"data": {"url": f"https://api.github.com/x?token={token}"}, "level": 3}]},
    }
    sent = redact_report(report, {})
    assert sent["request"] == {"url": "https://tf.example/accounts/password/reset/key/[secret]/", "method": "GET"}
    assert sent["exception"]["values"][0]["value"] == "no [token]"
    assert token not in str(sent)
    assert sent["breadcrumbs"]["values"][0]["level"] == 3


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("token ghp_0123456789abcdefABCDEF refused", "token [token] refused"),
        ("github_pat_11ABCDEFG0123456789abcdefghij", "[token]"),
        ("GET /accounts/password/reset/key/1-c9x8y7-0a1b2c/", "GET /accounts/password/reset/key/[secret]/"),
        ("GET /accounts/confirm-email/Mw:1xUL0E:3oOi_JrfX/", "GET /accounts/confirm-email/[secret]/"),
        ("GET /cb/?code=abc123&state=Zx81kQpOi72b&page=2", "GET /cb/?code=[secret]&state=[secret]&page=2"),
        ("GET /a/acme/pull-requests/?state=open", "GET /a/acme/pull-requests/?state=open"),
        ("GET /a/acme/?page=2", "GET /a/acme/?page=2"),
    ],
)
def test_it_takes_out_what_opens_an_account(text: str, shown: str) -> None:
    assert redact(text) == shown


@pytest.mark.django_db
def test_a_request_is_one_line_with_its_status_and_no_secret(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        client.get("/healthz?code=abc123")
    (record,) = [record for record in caplog.records if record.name.startswith("django_structlog")]
    line = formatter().format(record)
    assert "event='request_finished' code=200 request='GET /healthz?code=[secret]'" in line


def test_a_line_of_the_standard_library_is_redacted_too() -> None:
    record = logging.LogRecord("x", logging.ERROR, "x.py", 1, "refused %s", ("ghp_0123456789abcdefABCDEF",), None)
    assert "event='refused [token]'" in formatter().format(record)


def test_an_exception_is_redacted_too(capsys: pytest.CaptureFixture[str]) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(formatter())
    logger = logging.getLogger("tests.redaction")
    logger.addHandler(handler)
    try:
        raise ValueError("ghp_0123456789abcdefABCDEF")
    except ValueError:
        structlog.get_logger("tests.redaction").exception("it_broke")
    finally:
        logger.removeHandler(handler)
    said = capsys.readouterr().err
    assert "ghp_" not in said
    assert "[token]" in said
