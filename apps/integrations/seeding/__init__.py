"""Public repositories into a demo team, through the client, the mapping and the ingest that every sync uses.

`github_token_pool` whose token asks, `fetcher` what is asked of GitHub (the sync's own steps), `cache` what is kept of
it between two runs, `stored_json` how records stand in there, `seeder` how they become rows, `projects` the names.
"""
