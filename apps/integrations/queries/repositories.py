"""The Repositories page: connections, cards of what is tracked, and what else the connections see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Case, Count, Exists, F, IntegerField, OuterRef, Q, QuerySet, Sum, When
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from django.http import QueryDict

from apps.integrations.models import AvailableRepository, GitHubIntegration, IntegrationCredential, TrackedRepository
from apps.integrations.queries.cards import Card, cards_of, tracked_rows

CARDS_PER_PAGE = 24
ROWS_PER_PAGE = 50
ROWS_BESIDE_CARDS = 20
LONGEST_SEARCH = 100

TRACKED, ATTENTION, SYNCING, UNTRACKED = "tracked", "attention", "syncing", "untracked"
Sync = TrackedRepository.SyncStatus

_DISCONNECTED = Q(integration__sync_status=GitHubIntegration.SyncStatus.DISCONNECTED) | Q(
    repository__gone_at__isnull=False
)
_ATTENTION = _DISCONNECTED | Q(sync_status__in=(Sync.ERROR, Sync.PARTIAL))
_SYNCING = ~_DISCONNECTED & Q(sync_status__in=(Sync.SYNCING, Sync.PENDING, Sync.PAUSED))
_URGENCY = Case(
    When(_DISCONNECTED, then=0),
    *(
        When(sync_status=status, then=place)
        for place, status in enumerate(
            (Sync.ERROR, Sync.PARTIAL, Sync.PAUSED, Sync.SYNCING, Sync.PENDING, Sync.COMPLETE), start=1
        )
    ),
    output_field=IntegerField(),
)


@dataclass(frozen=True, slots=True)
class Filters:
    """What the address asks for: `?show=…&q=…&page=…`."""

    show: str = TRACKED
    search: str = ""
    page: str = "1"

    @classmethod
    def of(cls, query: QueryDict) -> Filters:
        show = query.get("show", TRACKED)
        return cls(
            show=show if show in {TRACKED, ATTENTION, SYNCING, UNTRACKED} else TRACKED,
            search=query.get("q", "").strip().replace("\x00", "")[:LONGEST_SEARCH],
            page=query.get("page", "1"),
        )


@dataclass(frozen=True, slots=True)
class Connection:
    """An integration, the credential it works with (None: it has none any more) and how many repositories it sees."""

    integration: GitHubIntegration
    credential: IntegrationCredential | None
    repositories: int

    @property
    def is_connected(self) -> bool:
        return self.integration.sync_status == GitHubIntegration.SyncStatus.CONNECTED

    @property
    def is_discovering(self) -> bool:
        running = (GitHubIntegration.Discovery.PENDING, GitHubIntegration.Discovery.RUNNING)
        return self.is_connected and self.integration.discovery_status in running


@dataclass(frozen=True, slots=True)
class Counts:
    """`stored`, `stated` and `partial` are pull requests of everything that is tracked."""

    tracked: int
    attention: int
    syncing: int
    untracked: int
    stored: int
    partial: int

    @property
    def seen(self) -> int:
        return self.tracked + self.untracked


@dataclass(frozen=True, slots=True)
class RepositoriesPage:
    """`cards` and `rows` are pages of what the filters leave; None where the filter shows none of the kind."""

    filters: Filters
    connections: Sequence[Connection]
    counts: Counts
    cards: Sequence[Card]
    card_page: Page[TrackedRepository] | None
    rows: Page[AvailableRepository] | None

    @property
    def is_discovering(self) -> bool:
        return any(connection.is_discovering for connection in self.connections)

    @property
    def may_track(self) -> bool:
        return any(connection.is_connected for connection in self.connections)


def repositories_page(filters: Filters) -> RepositoriesPage:
    """Eleven queries, however many repositories there are. In the team's scope."""
    card_page = None if filters.show == UNTRACKED else _card_page(filters)
    rows = _row_page(filters) if filters.show in {UNTRACKED, TRACKED} else None
    return RepositoriesPage(
        filters=filters,
        connections=connections(),
        counts=counts(),
        cards=cards_of(card_page.object_list) if card_page else (),
        card_page=card_page,
        rows=rows,
    )


def connections() -> list[Connection]:
    """Two queries."""
    integrations = GitHubIntegration.objects.annotate(repositories=Count("available_repositories")).order_by(
        "organization_slug", "pk"
    )
    credentials = {
        credential.integration_id: credential
        for credential in IntegrationCredential.objects.defer("access_token", "refresh_token").order_by(
            "is_primary", "pk"
        )
    }
    return [Connection(each, credentials.get(each.pk), each.repositories) for each in integrations]


def counts() -> Counts:
    """Two queries."""
    number = Cast(KeyTextTransform("stored", "repository__completeness"), IntegerField())
    partial = Cast(KeyTextTransform("partial", "repository__completeness"), IntegerField())
    found = TrackedRepository.objects.filter(is_active=True).aggregate(
        tracked=Count("pk"),
        attention=Count("pk", filter=_ATTENTION),
        syncing=Count("pk", filter=_SYNCING),
        stored=Sum(number, default=0),
        partial=Sum(partial, default=0),
    )
    return Counts(**found, untracked=_untracked().count())


def _untracked() -> QuerySet[AvailableRepository]:
    """Seen and not followed; what two connections see is counted once: the older connection's row."""
    tracked = TrackedRepository.objects.filter(repository__github_repo_id=OuterRef("github_repo_id"), is_active=True)
    older = AvailableRepository.objects.filter(
        github_repo_id=OuterRef("github_repo_id"), integration_id__lt=OuterRef("integration_id")
    )
    rows: QuerySet[AvailableRepository] = AvailableRepository.objects.filter(~Exists(tracked), ~Exists(older))
    return rows


def _card_page(filters: Filters) -> Page[TrackedRepository]:
    rows: QuerySet[Any] = tracked_rows().filter(is_active=True)
    if filters.search:
        rows = rows.filter(repository__full_name__icontains=filters.search)
    if filters.show == ATTENTION:
        rows = rows.filter(_ATTENTION)
    elif filters.show == SYNCING:
        rows = rows.filter(_SYNCING)
    rows = rows.annotate(urgency=_URGENCY).order_by("urgency", "repository__full_name", "pk")
    return Paginator(rows, CARDS_PER_PAGE).get_page(filters.page)


def _row_page(filters: Filters) -> Page[AvailableRepository]:
    rows = _untracked().select_related("integration")
    if filters.search:
        rows = rows.filter(full_name__icontains=filters.search)
    rows = rows.order_by("is_archived", F("pushed_at").desc(nulls_last=True), "full_name", "pk")
    alone = filters.show == UNTRACKED
    return Paginator(rows, ROWS_PER_PAGE if alone else ROWS_BESIDE_CARDS).get_page(filters.page if alone else 1)
