"""A believable organisation without a source: the same records for the same seed, stored by the ordinary ingest.

`plan` says how large it is and when it worked, `organisation` who is in it, `worktime` when they work; `life` makes
what happened to a pull request, `pull_requests` and `deployments` the records of a repository; `seed` stores them.
No clock, no database and no order in anything but `seed`: pull request 17 is the same, whatever was made before it.
"""
