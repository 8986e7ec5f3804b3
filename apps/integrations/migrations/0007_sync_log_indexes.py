from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """What the sync log is read by. Concurrently: no run waits for it."""

    atomic = False
    dependencies = (("integrations", "0006_freshness_wall"),)
    operations = (
        AddIndexConcurrently("syncrun", models.Index(fields=["team", "status", "id"], name="sync_run_status")),
        AddIndexConcurrently("syncrun", models.Index(fields=["team", "kind", "id"], name="sync_run_kind")),
        AddIndexConcurrently(
            "syncrun",
            models.Index(
                fields=["team", "id"],
                condition=models.Q(kind__in=["incremental", "reconcile", "pr"], status="complete", _negated=True),
                name="sync_run_notable",
            ),
        ),
    )
