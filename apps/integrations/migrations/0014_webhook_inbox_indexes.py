from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """What the inbox is read by: indexes of what is open and of what failed stay small. Concurrently: no delivery waits
    for it.
    """

    atomic = False
    dependencies = (("integrations", "0013_webhook_inbox"),)
    operations = (
        AddIndexConcurrently(
            "webhookdelivery",
            models.Index(
                fields=["endpoint", "id"], condition=models.Q(processed_at__isnull=True), name="webhook_delivery_open"
            ),
        ),
        AddIndexConcurrently("webhookdelivery", models.Index(fields=["received_at"], name="webhook_delivery_received")),
        AddIndexConcurrently(
            "webhookdelivery",
            models.Index(fields=["endpoint", "id"], condition=~models.Q(error=""), name="webhook_delivery_failed"),
        ),
        RemoveIndexConcurrently("webhookdelivery", "webhook_delivery_inbox"),
    )
