from django.db import migrations, models
from django.db.models import F


def until_now_all_was_fetched_at_once(apps, schema_editor):
    apps.get_model("metrics", "PullRequest").objects.update(whole_at=F("synced_at"))


class Migration(migrations.Migration):
    dependencies = (("metrics", "0004_comment_written"),)
    operations = (
        migrations.AddField("pullrequest", "whole_at", models.DateTimeField(null=True)),
        migrations.RunPython(until_now_all_was_fetched_at_once, migrations.RunPython.noop),
    )
