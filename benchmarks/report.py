"""One table for every benchmark: what was measured, what came out, what is wanted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured number. `wanted` is the target in words, `met` whether it was reached (None: nothing is demanded)."""

    name: str
    value: float
    unit: str
    wanted: str = ""
    met: bool | None = None

    def line(self) -> str:
        shown = f"{self.value:,.0f}" if abs(self.value) >= 100 else f"{self.value:,.2f}"
        mark = {None: "", True: "ok", False: "MISSED"}[self.met]
        return f"  {self.name:<46} {shown:>12} {self.unit:<10} {self.wanted:<14} {mark}".rstrip()


def at_least(name: str, value: float, unit: str, least: float) -> Figure:
    return Figure(name, value, unit, f">= {least:,g}", value >= least)


def at_most(name: str, value: float, unit: str, most: float) -> Figure:
    return Figure(name, value, unit, f"<= {most:,g}", value <= most)


def report(title: str, figures: Iterable[Figure]) -> bool:
    """Print the table; True when nothing that is demanded was missed."""
    figures = list(figures)
    print(f"\n{title}")
    for figure in figures:
        print(figure.line())
    return all(figure.met is not False for figure in figures)
