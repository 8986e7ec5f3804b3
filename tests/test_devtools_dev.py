"""`make dev` for real: it comes up whole, and however it ends nothing of it stays."""

import shutil
import signal
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from devtools.runner import real_github
from tests.devtools_support import PATIENCE, cleaned_up, left_after_stopping, names_of, run, running, wait_for_line


@pytest.fixture
def var() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="dev with spaces ")).resolve()
    folder.chmod(0o755)
    with cleaned_up(folder):
        yield folder
    shutil.rmtree(folder)


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
        return str(answer.read().decode())


def test_it_comes_up_whole_and_leaves_nothing_killed_or_interrupted(var: Path) -> None:
    with running(var, "dev") as process:
        url = wait_for_line(process, "  Open").split()[1]
        login = wait_for_line(process, "  Log in").split()
        names = names_of(var)
        busy = run(var, "dev")
        joined = run(var, "exec", "--join", "--", "sh", "-c", "echo $BASE_URL $GITHUB_API_URL")

        assert get(f"{url}/healthz") == "ok\n"
        assert "</form>" in get(f"{url}/accounts/login/")
        assert {"postgres", "redis-server"} <= names
        assert (busy.returncode, f"at {url}" in busy.stderr) == (1, True)
        assert joined.stdout.startswith(f"{url} http://127.0.0.1:")  # a command beside it asks the same GitHub

        process.kill()
        assert left_after_stopping(var) == []

    with running(var, "dev") as process:
        assert wait_for_line(process, "  Log in").split() == login
        # What the killed one left of the demo data is replaced, while the application runs.
        assert "is a demo now: 2,000 pull requests" in wait_for_line(process, "Demo (/a/demo/)")
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0
    assert left_after_stopping(var) == []


@pytest.mark.parametrize(
    ("environ", "real"),
    [
        ({}, False),
        ({"GITHUB_CLIENT_ID": "", "GITHUB_API_URL": ""}, False),
        ({"GITHUB_CLIENT_ID": "Iv1.abc"}, True),
        ({"GITHUB_API_URL": "https://github.example.com/api/v3"}, True),
    ],
)
def test_it_starts_the_sandbox_unless_a_real_github_is_configured(environ: dict[str, str], real: bool) -> None:
    assert real_github(environ) is real
