"""`python -m benchmarks [NAME …]`: all benchmarks, or those; exit 1 if a target is missed, 2 for an unknown name."""

from __future__ import annotations

import sys
from importlib import import_module
from pkgutil import iter_modules

import benchmarks

SHARED = {"__main__", "believable", "harness", "processor_time", "report", "webhook_load"}


def main(wanted: list[str]) -> int:
    names = sorted(module.name for module in iter_modules(benchmarks.__path__) if module.name not in SHARED)
    if unknown := set(wanted) - set(names):
        print(f"There is no benchmark {', '.join(sorted(unknown))}. There are: {', '.join(names)}.")
        return 2
    good = [import_module(f"benchmarks.{name}").main() for name in wanted or names]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
