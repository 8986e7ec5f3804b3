"""`python -m devtools sandbox` says where it listens and ends when it is told to."""

from __future__ import annotations

import signal
import subprocess
import sys

import httpx
import pytest

from devtools.github_sandbox.cli import main
from devtools.github_sandbox.tests.conftest import ROOT


def test_it_prints_its_address_answers_and_stops_on_sigterm() -> None:
    code = "import sys; from devtools.github_sandbox.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "--synthetic", "acme:shop:3", "--synthetic", "acme:web:2:9"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("sandbox GitHub: http://127.0.0.1:")
        url = line.split(": ")[1].strip()
        headers = {"Authorization": "Bearer sandbox-token"}
        repositories = httpx.get(f"{url}/user/repos", headers=headers, verify=False).json()
        assert {each["full_name"] for each in repositories} == {"acme/shop", "acme/web"}
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0


def test_a_specification_that_is_none_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--synthetic", "acme"]) == 2
    assert capsys.readouterr().out == "sandbox: not OWNER:REPO:N[:mix][:SEED]: acme\n"
