import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

from apps.teams.rls import EnableTeamRLS, TeamForeignKey


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0012_sync_run_unwritten"),
        ("metrics", "0004_comment_written"),
        ("teams", "0003_audit_event"),
    ]

    operations = [
        migrations.CreateModel(
            name="ScheduledFetch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.IntegerField(default=0)),
                ("node_id", models.CharField(blank=True, max_length=100)),
                ("subject", models.CharField(max_length=100)),
                (
                    "kind",
                    models.CharField(
                        choices=[("event", "Event"), ("settled", "Settled"), ("late", "Late")], max_length=20
                    ),
                ),
                ("reason", models.CharField(max_length=20)),
                ("asked", models.IntegerField(default=1)),
                ("asked_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("due_at", models.DateTimeField()),
                ("claimed_at", models.DateTimeField(null=True)),
                ("attempts", models.SmallIntegerField(default=0)),
                ("error", models.TextField(blank=True)),
                ("done_at", models.DateTimeField(null=True)),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.AddField(
            model_name="githubintegration",
            name="secret_rotated_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="trackedrepository",
            name="webhook_checked_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AlterField(
            model_name="trackedrepository",
            name="webhook_status",
            field=models.CharField(
                choices=[
                    ("none", "None"),
                    ("pending", "Pending"),
                    ("active", "Active"),
                    ("forbidden", "Forbidden"),
                    ("failed", "Failed"),
                    ("missing", "Missing"),
                    ("disabled", "Disabled"),
                    ("missigned", "Missigned"),
                    ("failing", "Failing"),
                ],
                default="none",
                max_length=20,
            ),
        ),
        migrations.AddField(
            model_name="scheduledfetch",
            name="pull_request",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="scheduled_fetches",
                to="metrics.pullrequest",
            ),
        ),
        migrations.AddField(
            model_name="scheduledfetch",
            name="repository",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="metrics.repository",
            ),
        ),
        migrations.AddField(
            model_name="scheduledfetch",
            name="team",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                editable=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="teams.team",
            ),
        ),
        migrations.AddIndex(
            model_name="scheduledfetch",
            index=models.Index(
                condition=models.Q(("done_at__isnull", True)), fields=["team", "due_at"], name="scheduled_fetch_due"
            ),
        ),
        migrations.AddConstraint(
            model_name="scheduledfetch",
            constraint=models.UniqueConstraint(
                condition=models.Q(("done_at__isnull", True)),
                fields=("team", "repository", "subject", "kind"),
                name="one_open_scheduled_fetch",
            ),
        ),
        TeamForeignKey("scheduledfetch", "team"),
        TeamForeignKey("scheduledfetch", "repository"),
        TeamForeignKey("scheduledfetch", "pull_request"),
        EnableTeamRLS("scheduledfetch"),
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
