"""Connect GitHub: by signing in there, or with a token. Views that wait for GitHub hold no transaction meanwhile."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.integrations.forms import ChooseAccountForm, TokenForm
from apps.integrations.github.errors import BadCredentials, GitHubError
from apps.integrations.github.oauth import named_error
from apps.integrations.models import GitHubIntegration
from apps.integrations.queries.repositories import connections
from apps.integrations.queries.webhooks import given_up
from apps.integrations.services import github_oauth
from apps.integrations.services.access_check import (
    HOOK_SCOPE,
    REQUIRED_SCOPES,
    AccessRefused,
    Account,
    GrantedAccess,
    OrganizationNotSeen,
    check_account,
    check_token,
)
from apps.integrations.services.connections import AlreadyConnected, disconnect
from apps.integrations.services.connections import connect as store_connection
from apps.integrations.services.discovery import request_discovery
from apps.integrations.services.encryption import seal, unseal
from apps.integrations.services.github_rest import rest_with
from apps.integrations.services.github_sync import trouble
from apps.integrations.services.webhooks.inbox import MOST_ATTEMPTS
from apps.integrations.tasks import after_commit, disconnect_task, discover_repositories_task, give_turns_task
from apps.integrations.views.actor import actor_of
from apps.integrations.views.after_connect import enqueue_after_connect
from apps.integrations.views.failures import Failure, failure_of, unknown_state
from apps.teams.access import admit, signed_in, team_admin, team_admin_unscoped
from apps.teams.models import Membership, Team
from apps.teams.scope import team_scope

CHOICE_KEY = "github_choice"
CHOICE_LIFETIME = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Choice:
    """An account on the choice page, and whether the team has it already."""

    account: Account
    is_connected: bool
    is_known: bool


@require_safe
@team_admin
def connect(request: HttpRequest, team: Team) -> HttpResponse:
    return _connect_page(request, TokenForm())


def _connect_page(request: HttpRequest, form: TokenForm, status: int = 200) -> HttpResponse:
    """In the team's scope."""
    context = {
        "form": form,
        "oauth": github_oauth.is_configured(),
        "connections": connections(),
        "given_up": given_up(MOST_ATTEMPTS),
        "token_url": f"{settings.GITHUB_WEB_URL}/settings/tokens/new?scopes="
        + ",".join((*REQUIRED_SCOPES, HOOK_SCOPE)).replace(":", "%3A")
        + "&description=tformance",
        "scopes": REQUIRED_SCOPES,
        "hook_scope": HOOK_SCOPE,
    }
    return render(request, "integrations/connect.html", context, status=status)


@require_POST
@team_admin
def oauth_start(request: HttpRequest, team: Team) -> HttpResponse:
    if not github_oauth.is_configured():
        messages.error(request, "Signing in at GitHub is not set up on this installation. Use a token.")
        return redirect("integrations:connect", team.slug)
    return redirect(github_oauth.begin(request.session, team_id=team.pk, redirect_uri=_redirect_uri()))


@require_safe
@signed_in
def oauth_callback(request: HttpRequest) -> HttpResponse:
    """Where GitHub sends the browser back to. Its address names no team: the state of this session does."""
    try:
        sign_in = github_oauth.take(request.session, request.GET.get("state", ""))
    except github_oauth.StateUnknown:
        return _failed(request, None, unknown_state())
    membership = get_object_or_404(
        Membership.objects.select_related("team"), team_id=sign_in.team_id, user=actor_of(request)
    )
    if not membership.is_admin:
        raise PermissionDenied
    admit(request, membership)
    try:
        if "error" in request.GET:
            raise named_error(request.GET["error"][:100], request.GET.get("error_description", "")[:300])
        access = github_oauth.exchange(sign_in, code=request.GET.get("code", ""), redirect_uri=_redirect_uri())
    except (GitHubError, AccessRefused) as error:
        return _failed(request, membership.team, failure_of(error))
    _keep_for_choice(request, membership.team, access)
    return redirect("integrations:choose", membership.team.slug)


@sensitive_post_parameters("token")
@require_http_methods(["GET", "POST"])
@team_admin_unscoped
def connect_token(request: HttpRequest, team: Team) -> HttpResponse:
    if request.method == "GET":
        return redirect("integrations:connect", team.slug)
    form = TokenForm(request.POST)
    if form.is_valid():
        token = form.cleaned_data["token"]
        try:
            with closing(rest_with(token)) as rest:
                access = check_token(token, rest=rest, login=form.cleaned_data["organization"])
        except BadCredentials:
            form.add_error("token", "GitHub does not accept this token. Was it revoked, has it expired, is it whole?")
        except OrganizationNotSeen as error:
            form.add_error("organization", str(error))
        except (GitHubError, AccessRefused) as error:
            form.add_error("token", str(error))
        else:
            _keep_for_choice(request, team, access)
            return redirect("integrations:choose", team.slug)
    with team_scope(team.pk):
        return _connect_page(request, form, status=400)


@require_http_methods(["GET", "POST"])
@team_admin_unscoped
def choose(request: HttpRequest, team: Team) -> HttpResponse:
    """Which of the accounts that the token opens becomes the connection."""
    access = _kept_for_choice(request, team)
    if access is None:
        messages.warning(request, "The sign-in was a while ago, so its token was thrown away. Please start again.")
        return redirect("integrations:connect", team.slug)
    if request.method == "GET":
        return _choice_page(request, team, access)
    form = ChooseAccountForm(request.POST)
    account = access.account(form.cleaned_data["account"]) if form.is_valid() else None
    if account is None:
        return _choice_page(request, team, access, "Choose one of these accounts.")
    try:
        with closing(rest_with(access.token)) as rest:
            check_account(account, rest=rest)
        with team_scope(team.pk):
            integration = store_connection(team=team, access=access, account=account, actor=actor_of(request))
            enqueue_after_connect(integration)
    except AlreadyConnected as error:
        return _choice_page(request, team, access, str(error))
    except GitHubError as error:
        return _failed(request, team, failure_of(error))
    del request.session[CHOICE_KEY]
    messages.success(request, f"{account.login} is connected. Switch on the repositories that you want to follow.")
    return redirect("integrations:repositories", team.slug)


def _choice_page(request: HttpRequest, team: Team, access: GrantedAccess, error: str = "") -> HttpResponse:
    with team_scope(team.pk):
        known = {integration.organization_id: integration for integration in GitHubIntegration.objects.all()}
        choices = [
            Choice(
                account,
                is_connected=account.id in known and known[account.id].works_fully,
                is_known=account.id in known,
            )
            for account in access.accounts
        ]
        context = {
            "access": access,
            "choices": choices,
            "error": error,
            "grant_url": f"{settings.GITHUB_WEB_URL}/settings/connections/applications/{settings.GITHUB_CLIENT_ID}",
        }
        return render(request, "integrations/choose.html", context, status=400 if error else 200)


@require_POST
@team_admin
def disconnect_view(request: HttpRequest, team: Team, integration_id: int) -> HttpResponse:
    integration = get_object_or_404(GitHubIntegration.objects.select_related("team"), pk=integration_id)
    disconnect(integration=integration, actor=actor_of(request))
    after_commit(disconnect_task, team.pk, integration.pk)
    messages.success(
        request,
        f"{integration.organization_slug} is disconnected and its token is being thrown away. Everything that was"
        " synced stays; connect it again to go on.",
    )
    return redirect("integrations:connect", team.slug)


@require_POST
@team_admin
def refresh(request: HttpRequest, team: Team, integration_id: int) -> HttpResponse:
    """List the repositories anew."""
    integration = get_object_or_404(GitHubIntegration, pk=integration_id)
    request_discovery(integration=integration)
    after_commit(discover_repositories_task, team.pk, integration.pk)
    return redirect("integrations:repositories", team.slug)


@require_POST
@team_admin_unscoped
def retry(request: HttpRequest, team: Team, integration_id: int) -> HttpResponse:
    """Whether GitHub lets a held connection in again: one request, and the answer on the page."""
    with team_scope(team.pk):
        integration = get_object_or_404(GitHubIntegration, pk=integration_id)
    if trouble.try_again(team_id=team.pk, integration_id=integration.pk):
        after_commit(give_turns_task, team.pk, integration.pk)
        messages.success(request, f"{integration.organization_slug} works again. Its syncs go on where they stopped.")
    else:
        with team_scope(team.pk):
            integration.refresh_from_db()
        if integration.sync_status == GitHubIntegration.SyncStatus.CONNECTED:
            messages.info(request, f"{integration.organization_slug} works.")
        else:
            messages.warning(request, integration.status_reason)
    return redirect("integrations:repositories", team.slug)


def _redirect_uri() -> str:
    return f"{settings.BASE_URL}{reverse('integrations:oauth_callback')}"


def _keep_for_choice(request: HttpRequest, team: Team, access: GrantedAccess) -> None:
    """In the session, sealed: the token is stored for good only once it is known for what."""
    content = {"team_id": team.pk, "access": access.as_json()}
    request.session[CHOICE_KEY] = seal(content, lifetime=CHOICE_LIFETIME)


def _kept_for_choice(request: HttpRequest, team: Team) -> GrantedAccess | None:
    sealed = request.session.get(CHOICE_KEY)
    content = unseal(sealed) if sealed else None
    if content is None or content["team_id"] != team.pk:
        return None
    return GrantedAccess.from_json(content["access"])


def _failed(request: HttpRequest, team: Team | None, failure: Failure) -> HttpResponse:
    context = {"failure": failure, "team": team}
    if team is None:
        return render(request, "integrations/connect_failed_plain.html", context, status=failure.status)
    with team_scope(team.pk):
        return render(request, "integrations/connect_failed.html", context, status=failure.status)
