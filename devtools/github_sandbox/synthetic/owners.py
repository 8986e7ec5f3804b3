"""Adds generated repositories to a world, with their owner and its people."""

from __future__ import annotations

import zlib
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

from devtools.github_sandbox.entities import Account, Team
from devtools.github_sandbox.ids import node_id
from devtools.github_sandbox.synthetic.lazy import LAZY_FROM, LazyContents
from devtools.github_sandbox.synthetic.plan import SyntheticRepository, iso, number_of, plans
from devtools.github_sandbox.synthetic.repository import Generator
from devtools.github_sandbox.synthetic.text import BOTS, PEOPLE
from devtools.github_sandbox.world import Contents, Repository, World


def add_synthetic(world: World, spec: SyntheticRepository, now: datetime) -> list[Repository]:
    """Adds the repositories of `spec`, their owner and its people. Nothing is generated until somebody looks."""
    owner = add_owner(world, spec)
    if spec.copies == 1:
        return [_add(world, spec, owner, now)]
    return [_add(world, replace(spec, name=f"{spec.name}-{each + 1}"), owner, now) for each in range(spec.copies)]


def _add(world: World, spec: SyntheticRepository, owner: Account, now: datetime) -> Repository:
    index = world.made
    database_id = 1_100_000_000 + index * 977 if index % 3 else 5_000_000_000 + index * 977
    newest = now - timedelta(hours=number_of(spec, "pushed") % 36 if not spec.archived else 9_000)

    def load(repository: Repository, contents: Contents) -> None:
        Generator(world, spec, repository, contents, first_id=6_000_000_000 + index * 2_000_000, now=now).generate()

    def load_lazily(repository: Repository) -> Contents:
        return LazyContents(world, spec, repository, now, index)

    repository = Repository(
        database_id=database_id,
        id=node_id("R", 0, database_id),
        owner=owner,
        name=spec.name,
        is_private=spec.private,
        is_fork=spec.fork,
        is_archived=spec.archived,
        description=spec.description,
        language=spec.language,
        created_at=iso(now - timedelta(days=spec.span_days + 30)),
        updated_at=iso(newest),
        pushed_at=iso(newest),
        foresee=lambda: dict(Counter(plan.state for plan in plans(spec, now))),
        loader=load,
        make_contents=load_lazily if spec.count > LAZY_FROM else None,
    )
    return world.add_repository(repository)


def add_owner(world: World, spec: SyntheticRepository) -> Account:
    known = world.account(spec.owner)
    if known is not None:
        return known
    number = zlib.crc32(spec.owner.encode())
    name = spec.owner.replace("-", " ").title()
    owner = world.add_account(spec.owner_kind, 2_200_000_000 + number % 900_000_000, spec.owner, name=name)
    for offset, bot in enumerate(BOTS):
        world.add_account("Bot", 49_699_333 + offset, bot)
    if spec.owner_kind != "Organization":
        return owner
    for offset in range(spec.people):
        login, full = PEOPLE[offset % len(PEOPLE)]
        if offset >= len(PEOPLE):
            login, full = f"{login}-{offset // len(PEOPLE)}", f"{full} {offset // len(PEOPLE)}"
        email = f"{login}@{spec.owner.lower()}.test"
        database_id = 3_400_000_000 + zlib.crc32(login.encode()) % 500_000_000
        person = world.add_account("User", database_id, login, name=full, email=email)
        world.add_member(owner, person, "ADMIN" if offset == 0 else "MEMBER")
    _add_teams(world, owner)
    return owner


def _add_teams(world: World, owner: Account) -> None:
    half = max(len(owner.members) // 2, 1)
    for index, (slug, members) in enumerate((("dock", owner.members[:half]), ("bridge", owner.members[half:]))):
        number = owner.database_id + 11 + index
        team = Team(number, node_id("T", 0, number), owner, slug, slug.title(), list(members))
        owner.teams.append(team)
        world.add_node(team)
