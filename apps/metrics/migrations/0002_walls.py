from django.db import migrations

from apps.teams.rls import EnableTeamRLS, TeamForeignKey

MODELS = (
    "repository",
    "pullrequest",
    "weeklymetrics",
    "prcheckrun",
    "reviewthread",
    "prcomment",
    "commit",
    "pullrequestcommit",
    "deployment",
    "deploymentstatus",
    "prevent",
    "prfile",
    "teammember",
    "label",
    "milestone",
    "pullrequestlabel",
    "pullrequestassignee",
    "linkedissue",
    "prreview",
)
# The others cannot be of a team that is not there: their key to a parent carries it. A check for each row of a page would
# cost a sixth of the time that PostgreSQL spends on it.
ROOTS = ("repository", "teammember", "weeklymetrics")
KEYS = (
    ("pullrequest", "repository"),
    ("pullrequest", "author"),
    ("pullrequest", "merged_by"),
    ("pullrequest", "milestone"),
    ("pullrequest", "reverts"),
    ("weeklymetrics", "member"),
    ("prcheckrun", "repository"),
    ("reviewthread", "pull_request"),
    ("reviewthread", "resolved_by"),
    ("prcomment", "pull_request"),
    ("prcomment", "author"),
    ("prcomment", "thread"),
    ("commit", "repository"),
    ("commit", "author"),
    ("commit", "committer"),
    ("pullrequestcommit", "pull_request"),
    ("pullrequestcommit", "commit"),
    ("deployment", "repository"),
    ("deployment", "creator"),
    ("deploymentstatus", "deployment"),
    ("deploymentstatus", "creator"),
    ("prevent", "pull_request"),
    ("prevent", "actor"),
    ("prevent", "subject_member"),
    ("prfile", "pull_request"),
    ("label", "repository"),
    ("milestone", "repository"),
    ("pullrequestlabel", "pull_request"),
    ("pullrequestlabel", "label"),
    ("pullrequestassignee", "pull_request"),
    ("pullrequestassignee", "member"),
    ("linkedissue", "pull_request"),
    ("prreview", "pull_request"),
    ("prreview", "reviewer"),
)


class Migration(migrations.Migration):
    dependencies = (("metrics", "0001_initial"), ("teams", "0002_walls"))
    operations = (
        *(TeamForeignKey(model, "team") for model in ROOTS),
        *(TeamForeignKey(model, field) for model, field in KEYS),
        *(EnableTeamRLS(model) for model in MODELS),
    )
