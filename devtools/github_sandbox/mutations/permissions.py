"""What somebody's token may no longer do. Each is lasting; `"on": false` takes it back.

`who`: a token, a login (of a person, or of the organisation of an installation), or `*`, the default.
"""

from __future__ import annotations

from devtools.github_sandbox.mutations.change import Change, Json, UnknownTarget, action
from devtools.github_sandbox.rules import EVERYBODY, Kind, Rule


def _rule(change: Change, kind: Kind, target: int | str) -> Json:
    who = str(change.request.get("who") or EVERYBODY)
    on = change.request.get("on", True)
    change.tokens.rules.put(Rule(kind, target, who), bool(on), str(change.request.get("reason") or ""))
    return {"action": change.request["action"], "target": target, "who": who, "on": bool(on), "delivered": 0}


def _organization(change: Change) -> int:
    return change.account(str(change.request.get("organization", ""))).database_id


@action("require_sso")
def require_sso(change: Change) -> Json:
    """`organization` wants single sign-on of the token."""
    return _rule(change, "sso", _organization(change))


@action("ip_allow_list")
def ip_allow_list(change: Change) -> Json:
    """`organization` lets only other addresses in."""
    return _rule(change, "ip_allow_list", _organization(change))


@action("suspend_installation")
def suspend_installation(change: Change) -> Json:
    """`organization` suspends the App's installation: 403 for its tokens."""
    return _rule(change, "suspended", _organization(change))


@action("hide")
def hide(change: Change) -> Json:
    """`repo` is not to be known to exist: 404 and NOT_FOUND, by id too, in no list."""
    return _rule(change, "hidden", change.repository.database_id)


@action("block")
def block(change: Change) -> Json:
    """`repo` is taken down for `reason` (dmca): 451."""
    return _rule(change, "blocked", change.repository.database_id)


@action("forbid")
def forbid(change: Change) -> Json:
    """No permission for `part`, a field of GraphQL as `statusCheckRollup`, `files`, `deployments`; REST likewise."""
    part = change.request.get("part")
    if not part:
        raise UnknownTarget("forbid needs `part`")
    return _rule(change, "forbidden", str(part))


@action("remove_scope")
def remove_scope(change: Change) -> Json:
    """`scope` (or a list of them) is taken from the tokens of `who`; with `"on": false` given back."""
    asked = change.request.get("scope") or ()
    scopes = frozenset([asked] if isinstance(asked, str) else asked)
    who, on = str(change.request.get("who") or ""), change.request.get("on", True)
    count = change.tokens.rescope(who, remove=scopes) if on else change.tokens.rescope(who, add=scopes)
    if not count:
        raise UnknownTarget(f"no token of {who}")
    return {"tokens": count, "delivered": 0}


@action("revoke_token")
def revoke_token(change: Change) -> Json:
    """`token` answers 401 from now on, as one that has expired."""
    change.tokens.revoke(str(change.request.get("token", "")))
    return {"delivered": 0}
