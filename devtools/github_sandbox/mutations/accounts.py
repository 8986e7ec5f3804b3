"""People and organisations that change their login or are gone."""

from __future__ import annotations

from devtools.github_sandbox.mutations.change import Change, Json, UnknownTarget, action


@action("rename_user")
def rename_user(change: Change) -> Json:
    """`login` to `to`. The old login leads nowhere, except in the names of the person's repositories."""
    account = change.account(str(change.request.get("login", "")))
    to = str(change.request.get("to") or f"{account.login}-renamed")
    if change.world.account(to) is not None:
        raise UnknownTarget(f"{to} is taken")
    old = account.login
    change.world.rename_account(account, to)
    told = 0
    if account.typename == "Organization":
        told = change.emit(account, "organization", lambda: change.payloads.organization_renamed(account, old))
    return {"login": account.login, "id": account.database_id, "node_id": account.id, "delivered": told}


@action("rename_organization")
def rename_organization(change: Change) -> Json:
    """`organization` to `to`: names of repositories below the old login redirect, `/orgs/<old>` is 404."""
    request = {**change.request, "login": change.request.get("organization")}
    return rename_user(Change(change.world, change.hooks, change.payloads, change.tokens, change.now, request))


@action("delete_user")
def delete_user(change: Change) -> Json:
    """`login`. GraphQL: null; REST: `ghost` as author of a pull request or issue, else null. Tokens die too."""
    account = change.account(str(change.request.get("login", "")))
    change.world.delete_account(account)
    change.tokens.revoke_all(account)
    return {"login": account.login, "id": account.database_id, "node_id": account.id, "delivered": 0}
