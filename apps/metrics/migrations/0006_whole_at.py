from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("metrics", "0005_keys_found_by_their_index"),)
    operations = (
        migrations.AddField("pullrequest", "whole_at", models.DateTimeField(null=True)),
        migrations.AddField("deployment", "is_whole", models.BooleanField(db_default=True)),
    )
