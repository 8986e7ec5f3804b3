"""`python -m devtools dev | exec -- CMD… | test ARGS… | lint | sandbox …` (see CONTRIBUTING.md)."""

import sys
from collections.abc import Sequence

from devtools.execute import execute
from devtools.session import read_dotenv
from devtools.var import DevtoolsError

_USAGE = """\
usage: python -m devtools COMMAND

  dev [--with-parent]                          everything, until Ctrl-C (make dev)
  exec [--with-parent] [--join] -- CMD ...     CMD with PostgreSQL and Redis up and migrated
  test [PYTEST OPTIONS, PATHS, DOTTED NAMES]   pytest, inside exec
  lint                                         every check that is not a test, inside exec
  sandbox --port P [--data DIR] [--synthetic OWNER:REPO:N[:SEED]]   the sandbox GitHub alone

--with-parent: stop when the process that started this one ends. --join: when a runner works in the same var folder
already, use its services instead of refusing."""


def main(argv: Sequence[str]) -> int:
    command, arguments = (argv[0], list(argv[1:])) if argv else ("", [])
    try:
        if command == "sandbox":
            from devtools.github_sandbox.cli import main as sandbox  # noqa: PLC0415  (a web server: only when asked for)

            return sandbox(arguments)
        read_dotenv()
        if command == "exec" and "--" in arguments:
            return _exec(arguments)
        if command == "dev" and set(arguments) <= {"--with-parent"}:
            from devtools.runner import develop  # noqa: PLC0415

            return develop(follow_parent=bool(arguments))
        if command == "test":
            from devtools.checks import run_tests  # noqa: PLC0415

            return run_tests(arguments)
        if command == "lint" and not arguments:
            from devtools.checks import lint  # noqa: PLC0415

            return lint()
    except DevtoolsError as error:
        print(f"devtools: {error}", file=sys.stderr)
        return 1
    print(_USAGE, file=sys.stderr)
    return 0 if command in {"-h", "--help", "help"} else 2


def _exec(arguments: list[str]) -> int:
    cut = arguments.index("--")
    options, command = set(arguments[:cut]), arguments[cut + 1 :]
    if not command or not options <= {"--with-parent", "--join"}:
        print(_USAGE, file=sys.stderr)
        return 2
    return execute(command, follow_parent="--with-parent" in options, join="--join" in options)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
