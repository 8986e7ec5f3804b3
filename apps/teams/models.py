from typing import Any, ClassVar

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models

from apps.teams.managers import TeamManager
from apps.teams.scope import WrongTeam, current_team_id, required_team_id


slug_validator = RegexValidator(
    r"^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$",
    "Use lower-case letters, digits and single hyphens, such as “acme-web”: it becomes part of the address.",
)


class Team(models.Model):
    """An organisation's workspace: the tenant. Outside the walls, since it is read before a team is known."""

    name = models.CharField(max_length=100)
    slug = models.CharField(max_length=50, unique=True, validators=[slug_validator])
    time_zone = models.CharField(max_length=64, default="UTC")
    is_demo = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A login in a team, with what it may do there."""

    class Role(models.TextChoices):
        MEMBER = "member"
        ADMIN = "admin"

    # TeamForeignKey: goes with its team in SQL
    team = models.ForeignKey(Team, models.CASCADE, db_constraint=False, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role, default=Role.MEMBER)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["team", "user"], name="membership_key"),)

    @property
    def is_admin(self) -> bool:
        return self.role == self.Role.ADMIN


class BaseTeamModel(models.Model):
    """A row of a team. Its migration adds `TeamForeignKey(model, "team")` and `EnableTeamRLS(model)`.

    A foreign key to another such model has db_constraint=False and a `TeamForeignKey` in the migration; its target
    has a UniqueConstraint over (team, id). A many-to-many has a `through` model that is a BaseTeamModel too.
    """

    team = models.ForeignKey(
        Team,
        models.CASCADE,
        default=current_team_id,
        editable=False,
        db_constraint=False,
        db_index=False,  # every table has a unique key that begins with it
        related_name="+",
    )

    objects: ClassVar[TeamManager] = TeamManager()
    unscoped: ClassVar[models.Manager[Any]] = models.Manager()  # row-level security still holds

    class Meta:
        abstract = True
        base_manager_name = "objects"

    def claim(self) -> None:
        """Take the current team, or refuse another's row before the database does."""
        current = required_team_id()
        if self.team_id is None:
            self.team_id = current
        if self.team_id != current:
            raise WrongTeam(f"{self!r} belongs to team {self.team_id}, not to the current team {current}.")

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.claim()
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        self.claim()
        return super().delete(*args, **kwargs)
