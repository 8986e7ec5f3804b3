from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce, Lower
from django.db.models.lookups import Exact

from apps.teams.models import BaseTeamModel


class TeamMember(BaseTeamModel):
    """A developer (or bot) whose work is tracked; may have no login here.

    `is_bot` is what the source says; `marked_bot` what the team said (NULL: nothing). The mark wins, so changing it
    changes every chart at once.
    """

    github_user_id = models.BigIntegerField()
    node_id = models.CharField(max_length=100, blank=True)
    login = models.CharField(max_length=100)
    name = models.CharField(max_length=255, blank=True)
    avatar_url = models.CharField(max_length=500, blank=True)
    is_bot = models.BooleanField(default=False)
    marked_bot = models.BooleanField(null=True)
    in_organization = models.BooleanField(default=False)
    organization_role = models.CharField(max_length=20, blank=True)

    class Meta(BaseTeamModel.Meta):
        constraints = (
            models.UniqueConstraint(fields=["team", "id"], name="team_member_in_team"),
            models.UniqueConstraint(fields=["team", "github_user_id"], name="team_member_key"),
        )
        indexes = (models.Index("team", Lower("login"), name="team_member_login"),)

    def __str__(self) -> str:
        return self.login

    @property
    def counts_as_bot(self) -> bool:
        return self.is_bot if self.marked_bot is None else self.marked_bot


def bot_condition(prefix: str = "") -> Q:
    """Rows whose member counts as a bot: the team's mark, else the source's word. Deleted accounts (NULL) do not."""
    mark = Coalesce(f"{prefix}marked_bot", f"{prefix}is_bot", output_field=models.BooleanField(null=True))
    return Q(Exact(Coalesce(mark, models.Value(False)), True))
