from typing import Any, ClassVar
from zoneinfo import available_timezones

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.core.validators import RegexValidator
from django.db import models

from apps.teams.managers import TeamManager
from apps.teams.scope import WrongTeam, current_team_id, required_team_id

slug_validator = RegexValidator(
    r"^[a-z0-9]+(?:-[a-z0-9]+)*\Z",
    "Use lower-case letters, digits and single hyphens, such as “acme-web”: it becomes part of the address.",
)
name_validator = RegexValidator(
    r"[\x00-\x1f\x7f]", "The name contains characters that cannot be shown.", inverse_match=True
)
# Addresses that a reader would take for the application's own pages.
RESERVED_SLUGS = frozenset(("accounts", "admin", "api", "help", "home", "login", "new", "settings", "teams", "www"))


def validate_not_reserved(slug: str) -> None:
    if slug in RESERVED_SLUGS:
        raise ValidationError(f"“{slug}” is reserved. Please choose another address.", code="reserved")


def validate_time_zone(name: str) -> None:
    if name not in available_timezones():
        raise ValidationError(f"“{name}” is not a time zone. Use a name such as “Europe/Berlin”.", code="time_zone")


class Team(models.Model):
    """An organisation's workspace: the tenant. Outside the walls, since it is read before a team is known."""

    name = models.CharField(max_length=100, validators=[name_validator])
    slug = models.CharField(
        max_length=50,
        unique=True,
        validators=[slug_validator, validate_not_reserved],
        error_messages={"unique": "This address is taken. Please choose another one."},
    )
    time_zone = models.CharField(max_length=64, default="UTC", validators=[validate_time_zone])
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


class TeamKey(models.ForeignKey):  # type: ignore[type-arg]
    """The owning team; a new row takes it from the scope. Not a `default=`: that would make its type optional."""

    def get_default(self) -> int | None:
        return current_team_id()

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.ForeignKey", args, kwargs


class BaseTeamModel(models.Model):
    """A row of a team. Its migration adds `TeamForeignKey(model, "team")` and `EnableTeamRLS(model)`.

    A foreign key to another such model has db_constraint=False and a `TeamForeignKey` in the migration; its target
    has a UniqueConstraint over (team, id). A many-to-many has a `through` model that is a BaseTeamModel too.
    """

    team = TeamKey(
        Team,
        models.CASCADE,
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


class AuditEvent(BaseTeamModel):
    """Who did what in the team, and when. Written by `services.record_event`, never changed."""

    # No foreign key: the line outlives the login, and a login is deleted without entering each team's scope.
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=254, blank=True)
    action = models.CharField(max_length=60)  # "team.created": the thing, then what happened to it
    details = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(BaseTeamModel.Meta):
        indexes = (models.Index(fields=["team", "-created_at", "-id"], name="audit_event_newest"),)

    def __str__(self) -> str:
        return f"{self.action} by {self.actor_name or 'the system'}"
