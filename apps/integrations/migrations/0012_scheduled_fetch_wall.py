from django.db import migrations

from apps.teams.rls import EnableTeamRLS, TeamForeignKey


class Migration(migrations.Migration):
    dependencies = (("integrations", "0011_webhook_inbox"),)
    operations = (
        TeamForeignKey("scheduledfetch", "team"),
        TeamForeignKey("scheduledfetch", "repository"),
        TeamForeignKey("scheduledfetch", "pull_request"),
        EnableTeamRLS("scheduledfetch"),
    )
