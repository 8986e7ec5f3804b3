"""The organisation that `make dev` shows: harbourlabs, six repositories and one without any pull request."""

from __future__ import annotations

from datetime import datetime

from devtools.github_sandbox.synthetic.owners import add_synthetic
from devtools.github_sandbox.synthetic.plan import SyntheticRepository
from devtools.github_sandbox.world import World

OWNER = "harbourlabs"
REPOSITORIES = (
    SyntheticRepository(OWNER, "tidewatch", 400, 11, description="Arrivals, departures and what the tide does to them"),
    SyntheticRepository(OWNER, "quay-api", 260, 12, description="The public API", private=True),
    SyntheticRepository(
        OWNER, "manifest-ui", 140, 13, language="TypeScript", description="Cargo manifests in the browser"
    ),
    SyntheticRepository(
        OWNER, "infra", 60, 14, language="HCL", description="Everything that runs, as code", private=True
    ),
    SyntheticRepository(
        OWNER, "legacy-ledger", 45, 15, archived=True, deploys=False, description="Read only since the move"
    ),
    SyntheticRepository(
        OWNER, "django-fork", 20, 16, fork=True, deploys=False, description="Patches on their way upstream"
    ),
    SyntheticRepository(OWNER, "handbook", 0, 17, language="Markdown", deploys=False, description="How we work"),
)


def add_demo_organization(world: World, now: datetime) -> None:
    for spec in REPOSITORIES:
        add_synthetic(world, spec, now)
