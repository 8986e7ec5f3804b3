import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

from apps.teams.rls import EnableTeamRLS, TeamForeignKey


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0013_webhook_inbox_indexes"),
        ("teams", "0003_audit_event"),
    ]

    operations = [
        migrations.CreateModel(
            name="TouchedWeeks",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("weeks", django.contrib.postgres.fields.ArrayField(base_field=models.DateField(), size=None)),
                (
                    "team",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="teams.team",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "indexes": [models.Index(fields=["team", "id"], name="touched_weeks_of_team")],
            },
        ),
        TeamForeignKey("touchedweeks", "team"),
        EnableTeamRLS("touchedweeks"),
    ]
