"""Template tags and filters of every page (built in: no `{% load %}`). The markup is in templates/components/.

Filters: `duration` `duration_value` `duration_unit` `age` `precise` `number` `percent` `counted` `initials`.
Tags: `icon` `when` `delta` `state` `badge` `chip` `who` `progress` `trust` `empty` `pagination` `sort_header` `field`.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django import template
from django.core.paginator import Page
from django.forms import BoundField
from django.http import HttpRequest
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.common import durations

register = template.Library()

JUDGEMENTS = {"better": "check", "worse": "alert", "flat": "flat"}


@register.filter
def duration(seconds: float | timedelta | None) -> str:
    """`{{ pr.lead_seconds|duration }}`: 38 min, 29.4 h, 4.6 d; a dash for None."""
    return durations.duration(seconds)


@register.filter
def duration_value(seconds: float | timedelta | None) -> str:
    return durations.parts(seconds)[0]


@register.filter
def duration_unit(seconds: float | timedelta | None) -> str:
    return durations.parts(seconds)[1]


@register.filter
def age(value: float | timedelta | datetime | None) -> str:
    """How old one thing is, from seconds or from its instant: 3 d 22 h."""
    return durations.age(timezone.now() - value if isinstance(value, datetime) else value)


@register.filter
def precise(seconds: float | None) -> str:
    """How long something took, to the second: 3.4 s, 4 min 12 s."""
    return durations.precise(seconds)


@register.filter
def number(value: float | None, digits: int = 0) -> str:
    """1240 → 1,240; with digits, 16.25|number:1 → 16.2. A dash for None."""
    return durations.NONE if value is None else f"{value:,.{digits}f}"


@register.filter
def percent(ratio: float | None, digits: int = 1) -> str:
    """0.918 → 91.8%. A dash for None."""
    return durations.NONE if ratio is None else f"{ratio * 100:.{digits}f}%"


@register.filter
def counted(count: int, words: str) -> str:
    """`3|counted:"pull request"` → 3 pull requests; an odd plural comes second: `"repository,repositories"`."""
    one, _, many = words.partition(",")
    return f"{count:,} {one if count == 1 else many or one + 's'}"


@register.filter
def initials(name: str) -> str:
    """Mira Okafor → MO, octocat → OC."""
    words = name.split()
    return ("".join(word[0] for word in (words[0], words[-1])) if len(words) > 1 else name[:2]).upper()


@register.simple_tag
def icon(name: str, extra: str = "") -> SafeString:
    """`{% icon "clock" %}`: the symbol i-clock of static/icons.svg. Decoration: the word stands beside it."""
    return format_html(
        '<svg class="icon{}" aria-hidden="true"><use href="{}#i-{}"/></svg>',
        f" {extra}" if extra else "",
        static("icons.svg"),
        name,
    )


@register.simple_tag
def when(value: datetime | None, style: str = "relative") -> str:
    """`<time>` of an instant. `style`: relative (2 min ago), date (31 Mar 2026), day (31 Mar), time (14:06), datetime
    (31 Mar 2026, 14:06), moment (the same without this year). Written in UTC; static/js/time.js puts it into the
    viewer's zone. Title: the exact instant.
    """
    if not value:  # None, or what a template makes of a name that is not there
        return durations.NONE
    value = value.astimezone(UTC)
    return format_html(
        '<time datetime="{}" data-style="{}" title="{}">{}</time>',
        value.isoformat(timespec="seconds"),
        style,
        f"{_day(value)} {value:%Y, %H:%M:%S} UTC",
        _STYLES[style](value),
    )


def _day(value: datetime) -> str:
    return f"{value.day} {value:%b}"


def _relative(value: datetime) -> str:
    seconds = (timezone.now() - value).total_seconds()
    if abs(seconds) < 60:
        return "just now" if seconds >= 0 else "in a moment"
    if abs(seconds) > 30 * durations.DAY:
        return f"{_day(value)} {value:%Y}"
    amount = durations.age(abs(seconds)).split(" ")
    said = " ".join(amount[:2])  # one unit is enough here
    return f"{said} ago" if seconds >= 0 else f"in {said}"


def _moment(value: datetime) -> str:
    year = "" if value.year == timezone.now().year else f" {value:%Y}"
    return f"{_day(value)}{year}, {value:%H:%M}"


_STYLES: dict[str, Callable[[datetime], str]] = {
    "relative": _relative,
    "date": lambda value: f"{_day(value)} {value:%Y}",
    "day": _day,
    "datetime": lambda value: f"{_day(value)} {value:%Y, %H:%M}",
    "moment": _moment,
    "time": lambda value: f"{value:%H:%M}",
}


@register.inclusion_tag("components/delta.html")
def delta(judgement: str, text: str) -> dict[str, str]:
    """`{% delta "worse" "11% slower" %}`: better, worse or flat, always with its word and its shape."""
    return {"judgement": judgement, "text": text, "icon_name": JUDGEMENTS[judgement]}


@register.inclusion_tag("components/state.html")
def state(kind: str, icon_name: str, text: str, spin: bool = False) -> dict[str, Any]:
    """`{% state "warn" "clock" "First review" %}`: good, warn, bad, busy, or "" for what is normal."""
    return {"kind": kind, "icon_name": icon_name, "text": text, "spin": spin}


@register.inclusion_tag("components/badge.html")
def badge(text: str, kind: str = "", icon_name: str = "") -> dict[str, str]:
    """`{% badge "Draft" %}`, `{% badge "Merged" "solid" "merge" %}`: good, warn, bad, solid."""
    return {"text": text, "kind": kind, "icon_name": icon_name}


@register.inclusion_tag("components/chip.html")
def chip(label: str, value: str, url: str, is_set: bool = False, icon_name: str = "down") -> dict[str, Any]:
    """A filter as a link: name in grey, value in ink. A set one takes itself away: give it the URL without it."""
    return {"label": label, "value": value, "url": url, "is_set": is_set, "icon_name": "x" if is_set else icon_name}


@register.inclusion_tag("components/who.html")
def who(name: str, note: str = "") -> dict[str, str]:
    """A person: initials, name, and at most one note."""
    return {"name": name, "note": note}


@register.inclusion_tag("components/progress.html")
def progress(done: float, total: float, label: str, kind: str = "done") -> dict[str, Any]:
    """A bar of `done` of `total`; `label` is read aloud. `kind`: done (live), ok (finished), held, stop."""
    share = 0.0 if not total else max(0.0, min(100.0, done * 100 / total))
    return {"share": f"{share:.1f}", "rest": f"{100 - share:.1f}", "label": label, "kind": kind}


@register.inclusion_tag("components/trust.html")
def trust(
    synced_at: datetime | None = None,
    covered_since: datetime | None = None,
    stored: int | None = None,
    stated: int | None = None,
    partial: int = 0,
    proof_url: str = "",
) -> dict[str, Any]:
    """The line under a page's title: how fresh, covered since when, how many of how many, how many partial."""
    return {
        "synced_at": synced_at,
        "covered_since": covered_since,
        "stored": stored,
        "stated": stated,
        "partial": partial,
        "proof_url": proof_url,
    }


@register.inclusion_tag("components/empty.html")
def empty(icon_name: str, title: str, text: str, url: str = "", action: str = "") -> dict[str, str]:
    """What a page shows when it has nothing: why, and what to do next."""
    return {"icon_name": icon_name, "title": title, "text": text, "url": url, "action": action}


@register.inclusion_tag("components/pagination.html", takes_context=True)
def pagination(
    context: Mapping[str, Any], page: Page[Any], noun: str = "row", target: str = "", param: str = "page"
) -> dict[str, Any]:
    """Earlier, later, and which of how many. Keeps the query string; with `target`, HTMX swaps that element."""
    request: HttpRequest = context["request"]

    def url(number: int) -> str:
        query = request.GET.copy()
        query[param] = str(number)
        return f"{request.path}?{query.urlencode()}"

    return {
        "page": page,
        "noun": noun,
        "target": target,
        "previous_url": url(page.previous_page_number()) if page.has_previous() else "",
        "next_url": url(page.next_page_number()) if page.has_next() else "",
    }


@register.inclusion_tag("components/sort_header.html", takes_context=True)
def sort_header(
    context: Mapping[str, Any], key: str, label: str, current: str, css: str = "", target: str = ""
) -> dict[str, Any]:
    """A `<th>` that sorts: `current` is the sort of the page ("age" ascending, "-age" descending), a click turns it."""
    request: HttpRequest = context["request"]
    query = request.GET.copy()
    query.pop("page", None)
    query["sort"] = key if current == f"-{key}" else f"-{key}"
    direction = {key: "ascending", f"-{key}": "descending"}.get(current, "")
    return {
        "label": label,
        "css": css,
        "target": target,
        "direction": direction,
        "url": f"{request.path}?{query.urlencode()}",
    }


@register.inclusion_tag("components/field.html")
def field(bound: BoundField, prefix: str = "") -> dict[str, Any]:
    """A form's field: label, input, help, errors, tied together for screen readers. `prefix`: before the input."""
    widget = bound.field.widget
    kind = getattr(widget, "input_type", "")
    described = [f"{bound.auto_id}_help"] if bound.help_text else []
    described += [f"{bound.auto_id}_errors"] if bound.errors else []
    attrs: dict[str, str | bool] = (
        {} if kind in ("checkbox", "radio") else {"class": f"{widget.attrs.get('class', '')} input".strip()}
    )
    attrs |= {"aria-describedby": " ".join(described)} if described else {}
    attrs |= {"aria-invalid": "true"} if bound.errors else {}
    return {"field": bound, "control": bound.as_widget(attrs=attrs), "kind": kind, "prefix": prefix}
