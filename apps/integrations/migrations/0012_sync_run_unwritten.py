from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Each minute it is asked which runs ended without an e-mail, of all that the log keeps."""

    atomic = False
    dependencies = (("integrations", "0011_reconcile_asked"),)
    operations = (
        AddIndexConcurrently(
            "syncrun",
            models.Index(
                fields=["team", "id"],
                condition=models.Q(notified_at=None, status__in=["complete", "partial", "error"]),
                name="sync_run_unwritten",
            ),
        ),
    )
