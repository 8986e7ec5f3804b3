from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("integrations", "0009_told_and_since"),)

    operations = (
        migrations.AddField("githubintegration", "look_asked_at", models.DateTimeField(null=True)),
        migrations.AddField("githubintegration", "look_claimed_until", models.DateTimeField(null=True)),
        migrations.AddField("githubintegration", "checks_read_at", models.DateTimeField(null=True)),
        migrations.AddField("githubintegration", "checks_cursor", models.BigIntegerField(null=True)),
    )
