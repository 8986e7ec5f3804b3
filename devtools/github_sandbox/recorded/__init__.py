"""Recorded pull requests as a world."""

from devtools.github_sandbox.recorded.repository import load_recorded

__all__ = ["load_recorded"]
