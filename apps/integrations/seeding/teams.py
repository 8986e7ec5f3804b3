"""The demo team that a project's pull requests go to. Nothing of a real team is ever touched."""

from __future__ import annotations

import hashlib

from django.core.exceptions import ValidationError
from django.db import transaction

from apps.integrations.models import GitHubIntegration
from apps.integrations.seeding.projects import Project
from apps.metrics.demo.clear import has_made_up
from apps.teams.models import Membership, Team
from apps.teams.scope import team_scope
from apps.teams.services import delete_team, ensure_admin, record_event
from apps.users.models import User

LONGEST_SLUG = 50
DEMO_LOGIN = "demo@example.com"


class NoDemoTeam(Exception):
    """The team of that name holds somebody's own data."""


def slug_of(project: Project) -> str:
    """The address of the project's team, always the same; a long one ends in a few digits that tell it from others."""
    slug = f"demo-{project.key}"
    if len(slug) <= LONGEST_SLUG:
        return slug
    digits = hashlib.sha256(slug.encode()).hexdigest()[:8]
    return f"{slug[: LONGEST_SLUG - 9].rstrip('-')}-{digits}"


def check_is_demo(slug: str) -> None:
    """Raises NoDemoTeam where this is no address, or that of a team that is not marked as demo data, or is connected:
    of that one the mark goes a little later.
    """
    try:
        Team._meta.get_field("slug").clean(slug, None)
    except ValidationError as error:
        raise NoDemoTeam(f"--team: {' '.join(error.messages)}") from error
    team = Team.objects.filter(slug=slug).first()
    if team is not None and (found := _what_it_holds(team)):
        raise NoDemoTeam(
            f"The team “{slug}” holds {found}, and what is seeded must not mix with it. Choose another address with"
            " --team."
        )


def _what_it_holds(team: Team) -> str:
    """ "" where public projects may be copied to."""
    if not team.is_demo:
        return "data of its own"
    with team_scope(team.pk):
        if GitHubIntegration.objects.exists():
            return "data of its own"
        return "the pull requests that seed_demo_data made up" if has_made_up() else ""


def demo_team(*, slug: str, title: str, admin: User | None, anew: bool) -> Team:
    """The team, made where there is none; `anew`: empty, but for its people. Raises NoDemoTeam.

    `admin` becomes one of its admins. Not in a scope.
    """
    check_is_demo(slug)
    team = Team.objects.filter(slug=slug).first()
    people: list[tuple[int, str]] = []
    if team is not None and anew:
        people = list(Membership.objects.filter(team=team).values_list("user_id", "role"))
        delete_team(team_id=team.pk)
        team = None
    with transaction.atomic():
        if team is None:
            team = Team(name=f"{title} (demo)"[:100], slug=slug, is_demo=True)
            team.full_clean()
            team.save()
            Membership.objects.bulk_create(Membership(team=team, user_id=user, role=role) for user, role in people)
            record_event(team, None, "team.created", name=team.name, slug=team.slug)
        if admin is not None:
            ensure_admin(team=team, user=admin, actor=None)
    return team


def chosen_admin(email: str) -> User | None:
    """Whose team it becomes: the login of this address, without one the login of `make dev`, if there is such a one."""
    found: User | None = User.objects.filter(email__iexact=email or DEMO_LOGIN).first()
    if email and found is None:
        raise NoDemoTeam(f"There is no login {email}. Make it with: manage.py create_team … --admin-email {email}")
    return found
