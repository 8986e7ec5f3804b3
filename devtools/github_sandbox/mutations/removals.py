"""What disappears whole: a pull request, a deployment."""

from __future__ import annotations

from typing import Any

from devtools.github_sandbox.entities import Deployment, PullRequest
from devtools.github_sandbox.mutations.change import Change, Json, action


@action("delete")
def delete(change: Change) -> Json:
    """GitHub's staff remove a pull request (spam): not found by number or id, in no list, counted nowhere.

    No hook is ever told. Its number is not given again.
    """
    pull = change.pull
    contents = pull.repository.contents
    contents.last_number = max(contents.last_number, *contents.pulls)
    contents.remove_pull(pull)
    for each in _parts(pull):
        contents.nodes.pop(each.id, None)
    return {"number": pull.number, "id": pull.database_id, "node_id": pull.id, "delivered": 0}


def _parts(pull: PullRequest) -> list[Any]:
    inline = [comment for thread in pull.threads for comment in thread.comments]
    return [*pull.comments, *pull.reviews, *pull.threads, *inline, *pull.events]


@action("delete_deployment")
def delete_deployment(change: Change) -> Json:
    """`id` or the last one. GitHub tells nobody."""
    contents = change.repository.contents
    found: Deployment = change.chosen(contents.deployments, "deployment")
    contents.deployments.remove(found)
    for node in (found.id, *(status.id for status in found.statuses)):
        contents.nodes.pop(node, None)
    return {"id": found.database_id, "node_id": found.id, "delivered": 0}
