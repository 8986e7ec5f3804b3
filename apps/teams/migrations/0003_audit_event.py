import django.core.serializers.json
import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

import apps.teams.models
from apps.teams.rls import EnableTeamRLS, TeamForeignKey


class Migration(migrations.Migration):
    dependencies = [
        ("teams", "0002_walls"),
    ]

    operations = [
        migrations.AlterField(
            model_name="team",
            name="name",
            field=models.CharField(
                max_length=100,
                validators=[
                    django.core.validators.RegexValidator(
                        "[\\x00-\\x1f\\x7f]", "The name contains characters that cannot be shown.", inverse_match=True
                    )
                ],
            ),
        ),
        migrations.AlterField(
            model_name="team",
            name="slug",
            field=models.CharField(
                error_messages={"unique": "This address is taken. Please choose another one."},
                max_length=50,
                unique=True,
                validators=[
                    django.core.validators.RegexValidator(
                        "^[a-z0-9]+(?:-[a-z0-9]+)*\\Z",
                        "Use lower-case letters, digits and single hyphens, such as “acme-web”: it becomes part of the address.",
                    ),
                    apps.teams.models.validate_not_reserved,
                ],
            ),
        ),
        migrations.AlterField(
            model_name="team",
            name="time_zone",
            field=models.CharField(default="UTC", max_length=64, validators=[apps.teams.models.validate_time_zone]),
        ),
        migrations.CreateModel(
            name="AuditEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("actor_id", models.BigIntegerField(null=True)),
                ("actor_name", models.CharField(blank=True, max_length=254)),
                ("action", models.CharField(max_length=60)),
                ("details", models.JSONField(default=dict, encoder=django.core.serializers.json.DjangoJSONEncoder)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
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
                "indexes": [models.Index(fields=["team", "-created_at", "-id"], name="audit_event_newest")],
            },
        ),
        TeamForeignKey("auditevent", "team"),
        EnableTeamRLS("auditevent"),
    ]
