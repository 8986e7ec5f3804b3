from django.db import migrations
from django.db.models import F, Max

ROWS = 10_000


def until_now_all_was_fetched_at_once(apps, schema_editor):
    rows = apps.get_model("metrics", "PullRequest").objects
    last = rows.aggregate(last=Max("pk"))["last"] or 0
    for first in range(1, last + 1, ROWS):
        rows.filter(pk__range=(first, first + ROWS - 1), whole_at=None).update(whole_at=F("synced_at"))


class Migration(migrations.Migration):
    """So many rows at a time, each in a transaction of its own: nobody waits for all of them."""

    atomic = False
    dependencies = (("metrics", "0006_whole_at"),)
    operations = (migrations.RunPython(until_now_all_was_fetched_at_once, migrations.RunPython.noop),)
