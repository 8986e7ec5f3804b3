import django.db.models.deletion
from django.db import migrations, models

import apps.common.models


class Migration(migrations.Migration):
    """What GitHub waits for is cheaper: payloads come compressed, so PostgreSQL does not try to, and one index less is
    written (webhook_delivery_key begins with the endpoint). The foreign key stays as it is.
    """

    dependencies = (("integrations", "0014_webhook_inbox_indexes"),)
    operations = (
        migrations.AlterField("webhookdelivery", "payload", apps.common.models.ZippedField()),
        migrations.RunSQL(
            "ALTER TABLE integrations_webhookdelivery ALTER COLUMN payload SET STORAGE EXTERNAL",
            "ALTER TABLE integrations_webhookdelivery ALTER COLUMN payload SET STORAGE EXTENDED",
        ),
        migrations.RunSQL(  # AlterField would check the foreign key anew, row by row
            "DROP INDEX integrations_webhookdelivery_endpoint_id_a6031765",
            "CREATE INDEX integrations_webhookdelivery_endpoint_id_a6031765"
            " ON integrations_webhookdelivery (endpoint_id)",
            state_operations=[
                migrations.AlterField(
                    "webhookdelivery",
                    "endpoint",
                    models.ForeignKey(
                        "integrations.webhookendpoint",
                        django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        db_index=False,
                    ),
                )
            ],
        ),
    )
