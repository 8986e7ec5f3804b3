"""Generated repositories: the same specification, seed and moment give the same pull requests."""

from devtools.github_sandbox.synthetic.owners import add_synthetic
from devtools.github_sandbox.synthetic.plan import SyntheticRepository

__all__ = ["SyntheticRepository", "add_synthetic"]
