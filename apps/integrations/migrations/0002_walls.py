from django.db import migrations

from apps.teams.rls import EnableTeamRLS, TeamForeignKey

MODELS = (
    "githubintegration",
    "integrationcredential",
    "availablerepository",
    "trackedrepository",
    "syncrun",
)
KEYS = (
    ("integrationcredential", "integration"),
    ("availablerepository", "integration"),
    ("trackedrepository", "integration"),
    ("trackedrepository", "repository"),
    ("syncrun", "tracked_repository"),
)


class Migration(migrations.Migration):
    dependencies = (("integrations", "0001_initial"), ("metrics", "0002_walls"))
    operations = (
        *(TeamForeignKey(model, "team") for model in MODELS),
        *(TeamForeignKey(model, field) for model, field in KEYS),
        *(EnableTeamRLS(model) for model in MODELS),
        # Outside the walls, and yet bound to its team: a delivery must not lead into another one.
        TeamForeignKey("webhookendpoint", "team"),
        TeamForeignKey("webhookendpoint", "integration"),
    )
