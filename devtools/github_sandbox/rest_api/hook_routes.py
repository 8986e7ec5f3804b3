"""https://docs.github.com/rest/repos/webhooks · https://docs.github.com/rest/orgs/webhooks"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from devtools.github_sandbox.access import OWNER
from devtools.github_sandbox.entities import Account
from devtools.github_sandbox.hooks import Delivery, Hook, HookExists, utc_now
from devtools.github_sandbox.rest_api.answers import RestAnswer, RestCall, RestError, not_found
from devtools.github_sandbox.world import Repository

ZEN = "Keep it logically awesome."


def _owner(call: RestCall, where: dict[str, Any]) -> Repository | Account:
    """The repository or organisation of the path, for those who may administer it; 404 for all others."""
    if "name" in where:
        repository = call.repository(f"{where['owner']}/{where['name']}")
        if not call.session.may_hook(repository):
            raise not_found()
        return repository
    organization = call.world.account(where["login"])
    person = call.session.account
    if organization is None or organization.typename != "Organization" or person is None:
        raise not_found()
    allowed = organization.role_of(person) == "ADMIN" or person.login == OWNER
    if not allowed or "admin:org_hook" not in call.session.scopes:
        raise not_found()
    return organization


def _hook(call: RestCall, hook_id: int, where: dict[str, Any]) -> Hook:
    found = call.hooks.find(_owner(call, where), hook_id)
    if found is None:
        raise not_found()
    return found


def _invalid(message: str, field: str) -> RestError:
    return RestError(
        422,
        "Validation Failed",
        errors=[{"resource": "Hook", "code": "custom", "field": field, "message": message}],
    )


def shape(call: RestCall, hook: Hook) -> dict[str, Any]:
    repository = isinstance(hook.owner, Repository)
    base = f"{call.shapes.api_url}/{'repos' if repository else 'orgs'}/{path_of(hook.owner)}/hooks/{hook.id}"
    last = hook.deliveries[0] if hook.deliveries else None
    config = {"url": hook.url, "content_type": hook.content_type, "insecure_ssl": "0"}
    if hook.secret:
        config["secret"] = "********"
    return {
        "type": "Repository" if repository else "Organization",
        "id": hook.id,
        "name": "web",
        "active": hook.active,
        "events": hook.events,
        "config": config,
        "updated_at": hook.updated_at,
        "created_at": hook.created_at,
        "url": base,
        "test_url": f"{base}/test",
        "ping_url": f"{base}/pings",
        "deliveries_url": f"{base}/deliveries",
        "last_response": {
            "code": last.status_code if last else None,
            "status": last.status if last else "unused",
            "message": last.status if last else None,
        },
    }


def path_of(owner: Repository | Account) -> str:
    return owner.full_name if isinstance(owner, Repository) else owner.login


def listing(call: RestCall, **where: Any) -> RestAnswer:
    return call.pages(call.hooks.of(_owner(call, where)), lambda hook: shape(call, hook))


def create(call: RestCall, **where: Any) -> RestAnswer:
    owner = _owner(call, where)
    body = call.body if isinstance(call.body, dict) else {}
    config = body.get("config") or {}
    url = config.get("url") or ""
    if urlsplit(url).scheme not in ("http", "https"):
        raise _invalid("url is not a valid URL", "url")
    events = list(body.get("events") or ["push"])
    try:
        hook = call.hooks.create(
            owner, url, config.get("secret"), config.get("content_type") or "form", events, body.get("active", True)
        )
    except HookExists as error:
        raise RestError(
            422,
            "Validation Failed",
            errors=[{"resource": "Hook", "code": "custom", "message": "Hook already exists on this repository"}],
        ) from error
    _send_ping(call, hook)
    return RestAnswer(shape(call, hook), 201)


def _send_ping(call: RestCall, hook: Hook) -> Delivery:
    payload: dict[str, Any] = {"zen": ZEN, "hook_id": hook.id, "hook": shape(call, hook)}
    payload["sender"] = call.shapes.user(call.session.account)
    if isinstance(hook.owner, Repository):
        payload["repository"] = call.shapes.repository(hook.owner, call.session)
    else:
        payload["organization"] = call.shapes.organization(hook.owner)
    return call.hooks.send(hook, "ping", payload)


def show(call: RestCall, hook_id: int, **where: Any) -> RestAnswer:
    return RestAnswer(shape(call, _hook(call, hook_id, where)))


def edit(call: RestCall, hook_id: int, **where: Any) -> RestAnswer:
    hook = _hook(call, hook_id, where)
    body = call.body if isinstance(call.body, dict) else {}
    config = body.get("config") or {}
    hook.url = config.get("url", hook.url)
    hook.secret = config.get("secret", hook.secret)
    hook.content_type = config.get("content_type", hook.content_type)
    hook.active = body.get("active", hook.active)
    events = list(body.get("events") or hook.events) + list(body.get("add_events") or ())
    hook.events = [event for event in dict.fromkeys(events) if event not in (body.get("remove_events") or ())]
    hook.updated_at = utc_now()
    return RestAnswer(shape(call, hook))


def delete(call: RestCall, hook_id: int, **where: Any) -> RestAnswer:
    call.hooks.delete(_hook(call, hook_id, where))
    return RestAnswer(None, 204)


def ping(call: RestCall, hook_id: int, **where: Any) -> RestAnswer:
    _send_ping(call, _hook(call, hook_id, where))
    return RestAnswer(None, 204)


def deliveries(call: RestCall, hook_id: int, **where: Any) -> RestAnswer:
    """Newest first."""
    return call.pages(_hook(call, hook_id, where).deliveries, delivery_shape)


def delivery(call: RestCall, hook_id: int, delivery_id: int, **where: Any) -> RestAnswer:
    hook = _hook(call, hook_id, where)
    return RestAnswer(delivery_shape(_delivery(hook, delivery_id)) | {"url": hook.url})


def redeliver(call: RestCall, hook_id: int, delivery_id: int, **where: Any) -> RestAnswer:
    hook = _hook(call, hook_id, where)
    call.hooks.redeliver(hook, _delivery(hook, delivery_id))
    return RestAnswer({}, 202)


def _delivery(hook: Hook, delivery_id: int) -> Delivery:
    found = next((each for each in hook.deliveries if each.id == delivery_id), None)
    if found is None:
        raise not_found()
    return found


def delivery_shape(delivery: Delivery) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "guid": delivery.guid,
        "delivered_at": delivery.delivered_at,
        "redelivery": delivery.redelivery,
        "duration": delivery.duration,
        "status": delivery.status,
        "status_code": delivery.status_code,
        "event": delivery.event,
        "action": delivery.action,
        "installation_id": None,
        "repository_id": None,
        "throttled_at": None,
    }
