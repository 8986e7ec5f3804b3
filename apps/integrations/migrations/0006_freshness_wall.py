from django.db import migrations

from apps.teams.rls import EnableTeamRLS, TeamForeignKey


class Migration(migrations.Migration):
    dependencies = (("integrations", "0005_unbreakable_sync"),)
    operations = (
        TeamForeignKey("freshnesscheck", "team"),
        TeamForeignKey("freshnesscheck", "integration"),
        EnableTeamRLS("freshnesscheck"),
    )
