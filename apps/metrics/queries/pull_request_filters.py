"""The filters, the order and the page of the pull request list: how they stand in an address, and what they select."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.db.models import Exists, F, OrderBy, OuterRef, Q, QuerySet
from django.db.models.functions import Lower
from django.http import QueryDict

from apps.metrics.models import LinkedIssue, PRReview, PullRequest, PullRequestAssignee, TeamMember
from apps.metrics.models.member import bot_condition
from apps.metrics.queries.period import day_from, zone_of
from apps.metrics.queries.population import chosen_repositories, labelled, printable
from apps.metrics.queries.review_load import reviews_that_count
from apps.metrics.queries.trust import RepositoryTrust, Trust

SORTS: Mapping[str, tuple[str, str]] = {  # in the address: (column, what people call it)
    "merged": ("merged_at", "Merged"),
    "created": ("pr_created_at", "Opened"),
    "updated": ("pr_updated_at", "Updated"),
    "cycle_time": ("cycle_time_seconds", "Cycle time"),
    "review_time": ("review_time_seconds", "First review"),
    "coding": ("coding_seconds", "Coding"),
    "pickup": ("pickup_seconds", "Pickup"),
    "review": ("review_seconds", "Review"),
    "merge": ("merge_seconds", "Merge"),
    "size": ("lines", "Size"),
    "rounds": ("review_rounds", "Rounds"),
    "comments": ("total_comments", "Comments"),
}
_NEWEST, _LONGEST, _MOST = ("newest", "oldest"), ("longest", "shortest"), ("most", "fewest")
SORT_WORDS: Mapping[str, tuple[str, str]] = {  # what stands first: descending, ascending
    **dict.fromkeys(("merged", "created", "updated"), _NEWEST),
    **dict.fromkeys(("cycle_time", "review_time", "coding", "pickup", "review", "merge"), _LONGEST),
    **dict.fromkeys(("rounds", "comments"), _MOST),
    "size": ("biggest", "smallest"),
}
NEVER_NULL = {"pr_created_at", "pr_updated_at", "review_rounds", "total_comments"}
DEFAULT_SORT = "-updated"
DELETED = "deleted"  # in the place of a login: accounts that are no more
NONE, ANY = "none", "any"  # in the place of a name: without one, with whichever
ISSUE = re.compile(r"(?:([\w.-]+/[\w.-]+)?#)?(\d{1,9})", re.ASCII)  # 12, #12, owner/name#12
CHOICES: Mapping[str, tuple[str, ...]] = {
    "state": ("open", "merged", "closed"),
    "size": ("XS", "S", "M", "L", "XL"),
    "ci": ("success", "failure", "pending", "none"),
    "ai": ("1", "0"),
    "unreviewed": ("1", "0"),
    "rework": ("1", "0"),
    "draft": ("1", "0"),
    "partial": ("1", "0"),
}
DAYS = ("created_from", "created_to", "merged_from", "merged_to", "reviewed_from", "reviewed_to")
PEOPLE = ("author", "reviewer", "assignee")


@dataclass(frozen=True, slots=True)
class PullRequestFilters:
    """What the address chooses; "" and None choose nothing. `people` are the members that the logins name."""

    zone: ZoneInfo
    repositories: tuple[RepositoryTrust, ...] = ()
    text: str = ""
    state: str = ""
    size: str = ""
    ci: str = ""
    ai: str = ""
    unreviewed: str = ""
    rework: str = ""
    draft: str = ""
    partial: str = ""
    bots: str = ""
    author: str = ""
    reviewer: str = ""
    assignee: str = ""
    label: str = ""
    not_label: str = ""
    milestone: str = ""
    issue: str = ""
    created_from: date | None = None
    created_to: date | None = None
    merged_from: date | None = None
    merged_to: date | None = None
    reviewed_from: date | None = None
    reviewed_to: date | None = None
    sort: str = DEFAULT_SORT
    page: int = 1
    people: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def query(self, **changed: str | None) -> str:
        """This choice as an address, with something changed (None: taken out). The page number falls away."""
        pairs = [("repository", repository.full_name) for repository in self.repositories]
        for one in fields(self):
            value = getattr(self, one.name)
            if one.name in {"zone", "repositories", "people", "notes", "page"} or value in ("", None):
                continue
            if one.name == "sort" and value == DEFAULT_SORT:
                continue
            pairs.append(("q" if one.name == "text" else one.name, str(value)))
        kept = [(key, value) for key, value in pairs if key not in changed]
        return urlencode(kept + [(key, value) for key, value in changed.items() if value is not None])

    @property
    def chosen(self) -> tuple[tuple[str, str, str], ...]:
        """Every filter that is set: (its name, its value, the address without it)."""
        found = [
            ("Repository", repository.name, self._without_repository(repository)) for repository in self.repositories
        ]
        for key, name in NAMES.items():
            value = getattr(self, "text" if key == "q" else key)
            if value not in ("", None):
                found.append((name, WORDS.get((key, str(value)), str(value)), self.query(**{key: None})))
        return tuple(found)

    def _without_repository(self, gone: RepositoryTrust) -> str:
        return replace(self, repositories=tuple(one for one in self.repositories if one is not gone)).query()

    @property
    def leaves_bots_out(self) -> bool:
        """Whoever names an author means them, whatever they are."""
        return not self.bots and not self.author

    def select(self) -> QuerySet[PullRequest]:
        """The pull requests that all filters let through, in no order."""
        found = self.select_with_bots()
        return found.exclude(bot_condition("author__")) if self.leaves_bots_out else found

    def select_with_bots(self) -> QuerySet[PullRequest]:
        """The same, and those by bots that are left out unless they are asked for."""
        found: QuerySet[PullRequest] = PullRequest.objects.filter(gone_at=None, repository__gone_at=None)
        if self.repositories:
            found = found.filter(repository__in=[repository.id for repository in self.repositories])
        for key, condition in CONDITIONS.items():
            if value := getattr(self, key):
                found = found.filter(condition(value))
        for key, column in (("created", "pr_created_at"), ("merged", "merged_at")):
            found = found.filter(self._within(column, getattr(self, f"{key}_from"), getattr(self, f"{key}_to")))
        if self.not_label:
            found = found.exclude(Exists(labelled(self.not_label)))
        for key in PEOPLE:
            if login := getattr(self, key):
                found = found.filter(self._by(key, login))
        if self.reviewed_from or self.reviewed_to:
            found = found.filter(Exists(self._reviews_of_the_days()))
        return found

    def _reviews_of_the_days(self) -> QuerySet[PRReview]:
        """As the review load counts them, and by the reviewer that is asked for."""
        rows = reviews_that_count().filter(pull_request=OuterRef("pk"))
        if self.reviewer:
            rows = rows.filter(reviewer=self.people.get(self.reviewer.lower()))
        return rows.filter(self._within("submitted_at", self.reviewed_from, self.reviewed_to))

    def order(self) -> tuple[OrderBy | str, ...]:
        """Ties are broken by the id, the way the order runs, so that pages neither repeat nor leave out a row."""
        key, down = self.sort.removeprefix("-"), self.sort.startswith("-")
        column = SORTS[key][0]
        is_known = column in NEVER_NULL or (column == "merged_at" and (self.state == "merged" or self.merged_from))
        expression = F(column)
        # NULLS LAST where it says nothing would keep the index from being read backwards.
        last = None if is_known else True
        ordered = expression.desc(nulls_last=last) if down else expression.asc(nulls_last=last)
        return ordered, "-id" if down else "id"

    def _within(self, column: str, first: date | None, last: date | None) -> Q:
        condition = Q()
        if first:
            condition &= Q(**{f"{column}__gte": _midnight(first, self.zone)})
        if last:
            condition &= Q(**{f"{column}__lt": _midnight(last + timedelta(days=1), self.zone)})
        return condition

    def _by(self, key: str, login: str) -> Q:
        member = self.people.get(login.lower())
        if key == "assignee" and login == NONE and member is None:
            return ~Q(Exists(PullRequestAssignee.objects.filter(pull_request=OuterRef("pk"))))
        if login != DELETED and member is None:
            return Q(pk__in=[])  # the note says that nobody is called so
        if key == "author":
            return Q(author=member)
        if key == "assignee":
            return Q(Exists(PullRequestAssignee.objects.filter(pull_request=OuterRef("pk"), member=member)))
        return Q(Exists(PRReview.objects.filter(pull_request=OuterRef("pk"), reviewer=member, gone_at=None)))


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _text(value: str) -> Q:
    """A number with or without #, or a part of the title in any case."""
    digits = value.removeprefix("#")
    if digits.isascii() and digits.isdigit() and len(digits) < 10:
        number = Q(number=int(digits))
        return number if value.startswith("#") else number | Q(title__icontains=value)
    return Q(title__icontains=value)


def _issue(value: str) -> Q:
    """Whether merging closes an issue: whichever, none, or this one, also of another repository."""
    linked = LinkedIssue.objects.filter(pull_request=OuterRef("pk"), gone_at=None)
    if value == NONE:
        return ~Q(Exists(linked))
    if found := ISSUE.fullmatch(value):
        linked = linked.filter(issue_number=int(found[2]))
        linked = linked.filter(issue_repository__iexact=found[1]) if found[1] else linked
    return Q(Exists(linked))


CONDITIONS: Mapping[str, Callable[[str], Q]] = {
    "text": _text,
    "state": lambda value: Q(state=value),
    "size": lambda value: Q(size=value),
    "ci": lambda value: Q(ci_status=None if value == "none" else value),
    "ai": lambda value: Q(ai_assisted=value == "1"),
    "unreviewed": lambda value: Q(merged_without_review=True) if value == "1" else Q(first_review_at__isnull=False),
    "rework": lambda value: Q(rework_after_approval=value == "1"),
    "draft": lambda value: Q(is_draft=value == "1"),
    "partial": lambda value: Q(is_partial=value == "1"),
    "label": lambda value: Q(Exists(labelled(value))),
    "milestone": lambda value: Q(milestone=None) if value == NONE else Q(milestone__title__iexact=value),
    "issue": _issue,
}
NAMES: Mapping[str, str] = {
    "q": "Text",
    "state": "State",
    "author": "Author",
    "reviewer": "Reviewer",
    "assignee": "Assignee",
    "label": "Label",
    "not_label": "Label not",
    "milestone": "Milestone",
    "issue": "Closes issue",
    "size": "Size",
    "ci": "Checks",
    "ai": "AI-assisted",
    "unreviewed": "Review",
    "rework": "Rework after approval",
    "draft": "Draft",
    "partial": "Data",
    "bots": "Bots",
    "created_from": "Opened from",
    "created_to": "Opened to",
    "merged_from": "Merged from",
    "merged_to": "Merged to",
    "reviewed_from": "Reviewed from",
    "reviewed_to": "Reviewed to",
}
WORDS: Mapping[tuple[str, str], str] = {
    ("ci", "success"): "passed",
    ("ci", "failure"): "failed",
    ("ci", "none"): "nothing to say",
    ("ai", "1"): "yes",
    ("ai", "0"): "no",
    ("unreviewed", "1"): "merged without",
    ("unreviewed", "0"): "was given",
    ("rework", "1"): "yes",
    ("rework", "0"): "no",
    ("draft", "1"): "yes",
    ("draft", "0"): "no",
    ("partial", "1"): "partial",
    ("partial", "0"): "complete",
    ("milestone", "none"): "none",
    ("assignee", "none"): "nobody",
    ("bots", "1"): "included",
    ("author", DELETED): "deleted account",
    ("reviewer", DELETED): "deleted account",
}


def filters_from(query: QueryDict, *, time_zone: str, trust: Trust) -> PullRequestFilters:
    """What the address chooses. What means nothing is left out and said in `notes`. One SQL statement if it names
    people, else none."""
    flat = {key: printable(value) for key in query if isinstance(value := query.get(key), str)}
    repositories, unknown = chosen_repositories(query.getlist("repository"), trust)
    notes = list(unknown)
    chosen: dict[str, Any] = {key: flat.get(key, "") for key in ("label", "not_label", "milestone", *PEOPLE)}
    chosen["text"] = flat.get("q", "")
    chosen["bots"] = "1" if flat.get("bots") == "1" else ""
    for key, allowed in CHOICES.items():
        if (value := flat.get(key, "")) and value not in allowed:
            notes.append(f"{NAMES[key]} cannot be “{value[:40]}”; that filter was left out.")
            value = ""
        chosen[key] = value
    chosen["issue"] = _issue_in(flat.get("issue", ""), notes)
    for key in DAYS:
        chosen[key] = day_from(flat.get(key, ""))
        if flat.get(key) and chosen[key] is None:
            notes.append(f"“{flat[key][:40]}” is not a day; write it as 2026-03-31.")
    people = _people(value.lower() for key in PEOPLE if (value := chosen[key]) and value != DELETED)
    notes += [
        f"Nobody here is called “{chosen[key][:100]}”."
        for key in PEOPLE
        if chosen[key] not in ("", DELETED)
        and chosen[key].lower() not in people
        and (key, chosen[key]) != ("assignee", NONE)
    ]
    return PullRequestFilters(
        zone=zone_of(time_zone),
        repositories=repositories,
        sort=_sort(flat.get("sort", ""), notes),
        page=_page(flat.get("page", ""), notes),
        people=people,
        notes=tuple(notes),
        **chosen,
    )


def _issue_in(text: str, notes: list[str]) -> str:
    """The choice of issues that the text makes; none, and a note, where it makes none."""
    if text in {"", ANY, NONE} or ISSUE.fullmatch(text):
        return text
    notes.append(f"“{text[:40]}” is no issue; write #12, owner/name#12, any or none.")
    return ""


def _people(logins: Iterable[str]) -> dict[str, int]:
    """The members of those logins (lower case), which two members may share after a rename: the newest of them."""
    wanted = sorted(set(logins))
    if not wanted:
        return {}
    # Served by team_member_login (team, lower(login)).
    found = TeamMember.objects.annotate(lower_login=Lower("login")).filter(lower_login__in=wanted).order_by("id")
    return dict(found.values_list("lower_login", "id"))


def _sort(text: str, notes: list[str]) -> str:
    if not text:
        return DEFAULT_SORT
    if text.removeprefix("-") in SORTS:
        return text
    notes.append(f"The list cannot be sorted by “{text[:40]}”.")
    return DEFAULT_SORT


def _page(text: str, notes: list[str]) -> int:
    if not text:
        return 1
    if text.isascii() and text.isdigit() and int(text[:9]) > 0:
        return int(text[:9])
    notes.append(f"There is no page “{text[:20]}”.")
    return 1
