"""`devtools exec` for real: its own PostgreSQL and Redis, in a folder with spaces in its name."""

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.devtools_support import PATIENCE, cleaned_up, left_after_stopping, processes_of, run, running, wait_for_line

SQL = """
import os, sys, psycopg
with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
    cursor = connection.execute(sys.argv[1])
    print(cursor.fetchone()[0] if cursor.description else "")
"""
# Answers TERM and INT in its own way, and says when it is ready for them.
POLITE = """
import signal, sys
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, lambda number, frame: sys.exit(40 + number))
print("ready", flush=True)
signal.pause()
"""
GRANDCHILD = "import os, signal; print('ready', os.getpid(), flush=True); signal.pause()"


@pytest.fixture(scope="module")
def var() -> Iterator[Path]:
    # Not tmp_path: only its owner may enter that, and as root PostgreSQL runs as somebody else.
    folder = Path(tempfile.mkdtemp(prefix="with spaces ")).resolve()
    folder.chmod(0o755)
    with cleaned_up(folder):
        yield folder
    shutil.rmtree(folder)


@pytest.fixture(autouse=True)
def hangups_arrive() -> Iterator[None]:
    """Children inherit what is ignored: the tests may themselves run under nohup, which `exec` rightly respects."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


def python(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", code, *arguments]


def test_it_gives_a_migrated_database_and_redis_and_the_commands_exit_code(var: Path) -> None:
    code = (
        "import os, sys, redis\n"
        "assert redis.Redis.from_url(os.environ['REDIS_URL']).ping()\n"
        "assert os.environ['DJANGO_SETTINGS_MODULE'] == 'tformance.settings.dev'\n"
        f"sys.argv = ['', \"SELECT to_regclass('teams_team')::text\"]\n{SQL}\nsys.exit(7)"
    )

    result = run(var, "exec", "--", *python(code))

    assert (result.returncode, result.stdout, result.stderr) == (7, "teams_team\n", "")
    assert left_after_stopping(var) == []


def test_it_keeps_the_data_for_the_next_start(var: Path) -> None:
    run(var, "exec", "--", *python(SQL, "CREATE TABLE kept AS SELECT 42 AS answer"))

    assert run(var, "exec", "--", *python(SQL, "SELECT answer FROM kept")).stdout == "42\n"


def test_it_takes_what_is_configured_instead_of_starting_its_own(var: Path) -> None:
    outer = (
        "import os, subprocess, sys\n"
        "inner = [sys.executable, '-m', 'devtools', 'exec', '--', sys.executable, '-c', "
        '\'import os; print(os.environ["DATABASE_URL"] == os.environ["OUTER"])\']\n'
        "os.environ['OUTER'] = os.environ['DATABASE_URL']\n"
        "os.environ['TFORMANCE_VAR'] += '/inner'\n"
        "subprocess.run(inner, check=True)\n"
        "print(sorted(os.listdir(os.environ['TFORMANCE_VAR'])))"
    )

    result = run(var, "exec", "--", *python(outer))

    assert result.stdout == "True\n['log', 'migrated', 'runner.lock']\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_it_passes_signals_on_and_waits_for_the_command(var: Path, number: int) -> None:
    with running(var, "exec", "--", *python(POLITE)) as process:
        wait_for_line(process, "ready")

        process.send_signal(number)

        assert process.wait(PATIENCE) == 40 + number
    assert left_after_stopping(var) == []


def test_killed_it_leaves_no_process_and_the_next_start_works(var: Path) -> None:
    with running(var, "exec", "--", "sh", "-c", '"$@" & wait', "sh", *python(GRANDCHILD)) as process:
        grandchild = int(wait_for_line(process, "ready").removeprefix("ready "))
        assert grandchild in [child.pid for child in processes_of(var)]

        busy = run(var, "exec", "--", "true")
        process.kill()
        process.wait()
        left = left_after_stopping(var)
        again = run(var, "exec", "--", "true")

    assert busy.returncode == 1
    assert busy.stderr.startswith("devtools: `exec sh -c")
    assert f"(process {process.pid})" in busy.stderr
    assert left == []
    assert (again.returncode, again.stderr) == (0, "")


@pytest.mark.skipif(sys.platform != "linux", reason="Only Linux tells a process that its parent has died.")
def test_killed_with_its_guard_it_leaves_no_process_either(var: Path) -> None:
    with running(var, "exec", "--", "sh", "-c", "echo ready; exec sleep 300") as process:
        wait_for_line(process, "ready")
        children = psutil.Process(process.pid).children()
        guards = [child for child in children if "devtools.guard" in child.cmdline()]

        for victim in (*guards, process):
            victim.kill()
        process.wait()

        assert len(guards) == 1
        assert left_after_stopping(var) == []


def test_a_stale_pid_file_does_not_keep_postgres_from_starting(var: Path) -> None:
    """After a crash its number may belong to anybody: here to this very test."""
    pid_file = var / "postgres-18" / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{pid_file.parent}\n1\n54320\n\n127.0.0.1\n\nready\n")

    result = run(var, "exec", "--", "true")

    assert (result.returncode, result.stderr) == (0, "")


def test_a_missing_command_is_said_as_a_shell_says_it(var: Path) -> None:
    result = run(var, "exec", "--", "no-such-command")

    assert (result.returncode, result.stderr) == (127, "no-such-command: command not found\n")


def test_join_borrows_the_services_of_a_runner_that_is_there(var: Path) -> None:
    with running(var, "exec", "--", "sh", "-c", 'echo "ready $DATABASE_URL"; exec sleep 300') as process:
        url = wait_for_line(process, "ready").removeprefix("ready ")

        joined = run(var, "exec", "--join", "--", "sh", "-c", "echo $DATABASE_URL; exit 3")
        process.send_signal(signal.SIGTERM)

        assert (joined.returncode, joined.stdout) == (3, f"{url}\n")
        assert process.wait(PATIENCE) == 128 + signal.SIGTERM


def test_it_migrates_again_what_was_migrated_backwards(var: Path) -> None:
    run(var, "exec", "--", "python", "manage.py", "migrate", "sessions", "zero")

    result = run(var, "exec", "--", *python(SQL, "SELECT to_regclass('django_session')::text"))

    assert result.stdout == "django_session\n"


def test_a_closed_terminal_ends_it_though_nobody_was_told(var: Path) -> None:
    """The kernel tells the session's leader: where that is make, and no shell, it tells nobody else."""
    terminal, inside = os.openpty()
    with open(terminal, "rb") as master, running(var, "exec", "--", *python(POLITE), stdout=inside) as process:
        os.close(inside)
        assert master.readline() == b"ready\r\n"

        master.close()

        assert process.wait(PATIENCE) == 40 + signal.SIGHUP
    assert left_after_stopping(var) == []
