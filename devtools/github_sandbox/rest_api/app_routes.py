"""https://docs.github.com/rest/apps"""

from __future__ import annotations

from typing import Any

from devtools.github_sandbox.entities import Account
from devtools.github_sandbox.github_app import PERMISSIONS
from devtools.github_sandbox.rest_api.answers import RestAnswer, RestCall, RestError, not_found


def _as_app(call: RestCall) -> None:
    if not call.session.app:
        raise RestError(401, "A JSON web token could not be decoded")


def show(call: RestCall) -> RestAnswer:
    _as_app(call)
    app = call.app
    return RestAnswer(
        {"id": app.id, "slug": app.slug, "client_id": app.client_id, "name": app.slug, "permissions": PERMISSIONS}
    )


def installations(call: RestCall) -> RestAnswer:
    _as_app(call)
    return call.pages(list(call.app.installations().items()), lambda each: _shape(call, *each))


def installation(call: RestCall, number: int) -> RestAnswer:
    _as_app(call)
    return RestAnswer(_shape(call, number, _account(call, number)))


def organization_installation(call: RestCall, login: str) -> RestAnswer:
    _as_app(call)
    for number, account in call.app.installations().items():
        if account.login.lower() == login.lower():
            return RestAnswer(_shape(call, number, account))
    raise not_found()


def access_token(call: RestCall, number: int) -> RestAnswer:
    _as_app(call)
    _account(call, number)
    return RestAnswer(call.app.token(number), 201)


def installation_repositories(call: RestCall) -> RestAnswer:
    """With an installation's token only."""
    account = call.session.installation
    if account is None:
        raise RestError(403, "You must authenticate with an installation access token in order to list repositories.")
    shape = call.shapes.repository
    rows = [each for each in account.repositories if call.session.sees(each)]
    answer = call.pages(rows, lambda each: shape(each, call.session), "repositories")
    answer.data["repository_selection"] = "all"
    return answer


def my_installations(call: RestCall) -> RestAnswer:
    """Those whose organisation the person may see: seeing one does not make an administrator of it."""
    person = call.person
    mine = [each for each in call.app.installations().items() if each[1].role_of(person) is not None]
    return call.pages(mine, lambda each: _shape(call, *each), "installations")


def _account(call: RestCall, number: int) -> Account:
    found = call.app.installations().get(number)
    if found is None:
        raise not_found()
    return found


def _shape(call: RestCall, number: int, account: Account) -> dict[str, Any]:
    return {
        "id": number,
        "account": call.shapes.user(account),
        "app_id": call.app.id,
        "app_slug": call.app.slug,
        "target_id": account.database_id,
        "target_type": account.typename,
        "repository_selection": "all",
        "access_tokens_url": f"{call.shapes.api_url}/app/installations/{number}/access_tokens",
        "repositories_url": f"{call.shapes.api_url}/installation/repositories",
        "html_url": f"{call.shapes.web_url}/organizations/{account.login}/settings/installations/{number}",
        "permissions": PERMISSIONS,
        "events": ["pull_request"],
        "created_at": account.created_at,
        "updated_at": account.created_at,
        "suspended_at": None,
        "suspended_by": None,
    }
