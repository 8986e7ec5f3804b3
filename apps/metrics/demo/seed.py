"""Making the demo data of a team: what was there of it goes, the plan's records come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import connection

from apps.common.roles import as_owner
from apps.metrics.demo.clear import alone, remove_made_up
from apps.metrics.demo.organisation import everybody
from apps.metrics.demo.plan import Plan, plan_for
from apps.metrics.demo.writing import write_repository, write_side_by_side
from apps.metrics.models import Repository
from apps.metrics.services.aggregate import aggregate_weeks
from apps.metrics.services.members import ensure_members
from apps.teams.models import Team
from apps.teams.scope import team_scope
from apps.teams.services import record_event

ONE_PROCESS_UP_TO = 10_000
"""Pull requests; for fewer another process would hardly have begun."""

_TABLES = (
    *("pullrequest", "prreview", "prcomment", "prcheckrun", "commit", "pullrequestcommit", "prfile", "prevent"),
    *("repository", "teammember", "deployment", "pullrequestlabel", "weeklymetrics"),
)


class NotADemoTeam(Exception):
    """The team has data of its own, which nothing made up is put beside."""


@dataclass(frozen=True, slots=True)
class Seeded:
    """`weeks`: rows of the weekly aggregates."""

    pull_requests: int
    repositories: int
    people: int
    weeks: int
    first: datetime
    until: datetime


def seed_demo(
    team: Team, *, prs: int, seed: int, until: date, processes: int, progress: Callable[[int], None]
) -> Seeded:
    """Give `team` the demo data of these numbers in place of what it has of the kind, and call it a demo. `progress`
    hears how many pull requests are stored. Interrupted it leaves a part, which the next time replaces. Raises
    NotADemoTeam and DemoBusy. Not inside a `team_scope`.
    """
    plan = plan_for(seed=seed, prs=prs, until=until)
    with alone(team.pk):
        _refuse_real_data(team)
        remove_made_up(team.pk)
        Team.objects.filter(pk=team.pk).update(is_demo=True)
        _begin(team, plan)
        _write(team.pk, plan, processes, progress)
        weeks = aggregate_weeks(team.pk, None)
        record_event(team, None, "demo.seeded", pull_requests=prs, seed=seed, until=until)
    return Seeded(
        pull_requests=prs,
        repositories=len(plan.repositories),
        people=sum(len(repository.squad) for repository in plan.repositories),
        weeks=weeks.rows,
        first=plan.started_at,
        until=plan.ended_at,
    )


def gather_statistics() -> None:
    """Nothing is known yet of so many new rows: the pages' queries would be planned as if there were none. In a
    transaction, whose rows nobody else sees, it does nothing.
    """
    if connection.in_atomic_block:
        return
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {', '.join(f'metrics_{table}' for table in _TABLES)}")


def needs_demo(team: Team, until: date, days: int) -> bool:
    """Whether the team has nothing at all, or demo data that is not whole or ends more than `days` before `until`."""
    with team_scope(team.pk):
        kept = list(Repository.objects.values_list("github_repo_id", "synced_to"))
    if any(id_ >= 0 for id_, _ in kept):
        return False
    return not kept or any(end is None or end.date() < until - timedelta(days=days) for _, end in kept)


def _refuse_real_data(team: Team) -> None:
    with team_scope(team.pk):
        real = Repository.objects.filter(github_repo_id__gte=0).order_by("full_name").first()
    if real is not None:
        raise NotADemoTeam(
            f"{team.name} has pull requests of {real.full_name}: demo data is not put beside real data."
            " Choose or make another team."
        )


def _begin(team: Team, plan: Plan) -> None:
    """Everybody and every repository before there are processes that would each make them."""
    with team_scope(team.pk):
        ensure_members(everybody(plan.repositories))
        for repository in plan.repositories:
            Repository.objects.create(
                github_repo_id=repository.first_id,
                node_id=f"demo-repository-{repository.index}",
                full_name=repository.full_name,
                default_branch="main",
                is_private=True,
            )


def _write(team_id: int, plan: Plan, processes: int, progress: Callable[[int], None]) -> None:
    done = 0

    def tell(count: int) -> None:
        nonlocal done
        done += count
        progress(done)

    if processes > 1:
        return write_side_by_side(team_id, plan, tell, processes=processes)
    for repository in plan.repositories:
        write_repository(team_id, plan, repository, tell)
    return None
