from django.db import migrations

# PostgreSQL plans the look-up behind a foreign key once a session: in a first sync, while the tables are empty and all
# indexes that begin with the team look alike. Of equals it takes the newest, so the one that finds a single row is made
# anew. Else each check of that session reads all of the team's rows (docs/decisions/0003-writing-pages.md).
PARENT_KEYS = (
    "repository_in_team",
    "team_member_in_team",
    "milestone_in_team",
    "label_in_team",
    "pull_request_in_team",
    "commit_in_team",
    "review_thread_in_team",
    "review_in_team",
    "deployment_in_team",
)


class Migration(migrations.Migration):
    atomic = False  # as PostgreSQL wants it for CONCURRENTLY: reading and writing go on meanwhile
    dependencies = (("metrics", "0004_comment_written"),)
    operations = tuple(
        migrations.RunSQL(f"REINDEX INDEX CONCURRENTLY {name}", migrations.RunSQL.noop) for name in PARENT_KEYS
    )
