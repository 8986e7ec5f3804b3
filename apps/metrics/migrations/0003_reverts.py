from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("metrics", "0002_walls"),)
    operations = (
        migrations.AddIndex(
            model_name="pullrequest",
            index=models.Index(
                condition=models.Q(is_revert=True), fields=["team", "repository"], name="pull_request_revert"
            ),
        ),
    )
