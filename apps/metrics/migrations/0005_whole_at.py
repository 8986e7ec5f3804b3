from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("metrics", "0004_comment_written"),)
    operations = (
        migrations.AddField("pullrequest", "whole_at", models.DateTimeField(null=True)),
        migrations.AddField("deployment", "is_whole", models.BooleanField(db_default=True)),
    )
