from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("metrics", "0003_reverts"),)
    operations = (
        migrations.AddIndex(
            model_name="prcomment",
            index=models.Index(fields=["team", "commented_at"], name="comment_written"),
        ),
    )
