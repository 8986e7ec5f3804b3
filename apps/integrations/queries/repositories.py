"""The Repositories page: connections, cards of what is tracked, and what else the connections see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Case, Count, Exists, F, IntegerField, OuterRef, Q, QuerySet, Sum, When
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce
from django.http import QueryDict

from apps.integrations.models import AvailableRepository, GitHubIntegration, IntegrationCredential, TrackedRepository
from apps.integrations.queries.cards import SHOWN, Card, cards_of, tracked_rows

CARDS_PER_PAGE = 24
ROWS_PER_PAGE = 50
ROWS_BESIDE_CARDS = 20
LONGEST_SEARCH = 100

TRACKED, ATTENTION, SYNCING, UNTRACKED = "tracked", "attention", "syncing", "untracked"
Sync = TrackedRepository.SyncStatus

_BROKEN = Q(stopped_at__isnull=False) | ~Q(integration__sync_status=GitHubIntegration.SyncStatus.CONNECTED)
_ATTENTION = _BROKEN | Q(sync_status__in=(Sync.ERROR, Sync.PARTIAL))
_SYNCING = ~_BROKEN & Q(sync_status__in=(Sync.SYNCING, Sync.PENDING, Sync.PAUSED))
_URGENCY = Case(
    When(_BROKEN, then=0),
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
    def is_held(self) -> bool:
        return self.integration.sync_status == GitHubIntegration.SyncStatus.HELD

    @property
    def missing(self) -> list[tuple[str, str]]:
        """What it may not read, and the permission for that as GitHub names it."""
        return [(part, gap.get("permission", "")) for part, gap in sorted(self.integration.permissions_missing.items())]

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


def repositories_page(filters: Filters) -> RepositoriesPage:
    """Ten queries, however many repositories there are. In the team's scope."""
    card_page = None if filters.show == UNTRACKED else _card_page(filters)
    untracked = _untracked()
    return RepositoriesPage(
        filters=filters,
        connections=connections(),
        counts=_counts(len(untracked)),
        cards=cards_of(card_page.object_list) if card_page else (),
        card_page=card_page,
        rows=_row_page(filters, untracked) if filters.show in {UNTRACKED, TRACKED} else None,
    )


def connections() -> list[Connection]:
    """Those that work, and those that were given up or refused and somebody may want back. Two queries.

    Beside one that works, a broken one through which nothing is followed any more is left out: it asks for nothing. It
    is kept, and goes on where it stopped when the same account is connected again.
    """
    followed = TrackedRepository.objects.filter(SHOWN, integration=OuterRef("pk"))
    integrations = GitHubIntegration.objects.annotate(
        repositories=Count("available_repositories"), is_followed=Exists(followed)
    ).order_by("organization_slug", "pk")
    credentials = {
        credential.integration_id: credential
        for credential in IntegrationCredential.objects.defer("access_token", "refresh_token").order_by(
            "is_primary", "pk"
        )
    }
    found = [(each.is_followed, Connection(each, credentials.get(each.pk), each.repositories)) for each in integrations]
    one_works = any(connection.is_connected for _, connection in found)
    return [connection for is_followed, connection in found if connection.is_connected or is_followed or not one_works]


def quick_counts() -> Counts:
    """Four queries, which do not read every repository."""
    known = TrackedRepository.objects.filter(SHOWN).values_list("repository__github_repo_id", flat=True)
    number = Count("github_repo_id", distinct=True)
    usable = AvailableRepository.objects.filter(is_disabled=False)
    seen = usable.aggregate(number=number)["number"]
    followed = usable.filter(github_repo_id__in=list(known)).aggregate(number=number)["number"]
    return _counts(seen - followed)


def _counts(untracked: int) -> Counts:
    counted = Cast(KeyTextTransform("stored", "repository__completeness"), IntegerField())
    stored = Coalesce(counted, F("sync_prs_completed"))  # before a first sync has ended: what it has brought
    partial = Cast(KeyTextTransform("partial", "repository__completeness"), IntegerField())
    found = TrackedRepository.objects.filter(SHOWN).aggregate(
        tracked=Count("pk"),
        attention=Count("pk", filter=_ATTENTION),
        syncing=Count("pk", filter=_SYNCING),
        stored=Sum(stored, default=0),
        partial=Sum(partial, default=0),
    )
    return Counts(**found, untracked=untracked)


def _untracked() -> list[tuple[int, str]]:
    """Primary key and name of what is seen and not followed, in the order of the list; what two connections see counts
    once, the older connection's row. Two queries.

    Sorted out here, not by joins: right after thousands of rows were discovered PostgreSQL has no statistics of them,
    and took 13 s for an anti-join of 5,000 with itself (nested loops); this takes 30 ms.
    """
    known = set(TrackedRepository.objects.filter(SHOWN).values_list("repository__github_repo_id", flat=True))
    rows = AvailableRepository.objects.filter(is_disabled=False).order_by(
        "is_archived", F("pushed_at").desc(nulls_last=True), "full_name", "integration_id"
    )
    found = []
    for pk, repo_id, full_name in rows.values_list("pk", "github_repo_id", "full_name"):
        if repo_id not in known:
            known.add(repo_id)
            found.append((pk, full_name))
    return found


def _card_page(filters: Filters) -> Page[TrackedRepository]:
    rows: QuerySet[Any] = tracked_rows().filter(SHOWN)
    if filters.search:
        rows = rows.filter(repository__full_name__icontains=filters.search)
    if filters.show == ATTENTION:
        rows = rows.filter(_ATTENTION)
    elif filters.show == SYNCING:
        rows = rows.filter(_SYNCING)
    rows = rows.annotate(urgency=_URGENCY).order_by("urgency", "repository__full_name", "pk")
    return Paginator(rows, CARDS_PER_PAGE).get_page(filters.page)


def _row_page(filters: Filters, untracked: list[tuple[int, str]]) -> Page[AvailableRepository]:
    wanted = filters.search.casefold()
    keys = [pk for pk, full_name in untracked if wanted in full_name.casefold()]
    alone = filters.show == UNTRACKED
    page: Page[Any] = Paginator(keys, ROWS_PER_PAGE if alone else ROWS_BESIDE_CARDS).get_page(
        filters.page if alone else 1
    )
    rows = AvailableRepository.objects.select_related("integration").in_bulk(page.object_list)
    page.object_list = [rows[key] for key in page.object_list]
    return page
