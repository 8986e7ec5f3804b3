from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("integrations", "0010_looks"),)

    operations = (migrations.AddField("trackedrepository", "reconcile_asked_at", models.DateTimeField(null=True)),)
