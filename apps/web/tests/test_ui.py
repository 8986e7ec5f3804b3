from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django import forms
from django.core.paginator import Paginator
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import timezone

EXACT = datetime(2026, 3, 31, 12, 6, 12, tzinfo=UTC)


def shown(source: str, **context: Any) -> str:
    return Template(source).render(Context(context)).strip()


@pytest.mark.parametrize(
    ("source", "value", "expected"),
    [
        ("{{ v|duration }}", 105_840, "29.4 h"),
        ("{{ v|duration_value }} {{ v|duration_unit }}", 105_840, "29.4 h"),
        ("{{ v|age }}", 338_400, "3 d 22 h"),
        ("{{ v|number }}", 1240, "1,240"),
        ("{{ v|number:1 }}", 16.25, "16.2"),
        ("{{ v|number }}", None, "–"),
        ("{{ v|percent }}", 0.918, "91.8%"),
        ("{{ v|percent:0 }}", 0.918, "92%"),
        ('{{ v|counted:"pull request" }}', 1, "1 pull request"),
        ('{{ v|counted:"pull request" }}', 1240, "1,240 pull requests"),
        ('{{ v|counted:"repository,repositories" }}', 2, "2 repositories"),
        ("{{ v|initials }}", "Mira van Okafor", "MO"),
        ("{{ v|initials }}", "octocat", "OC"),
    ],
)
def test_numbers_and_durations_are_said_in_one_way(source: str, value: Any, expected: str) -> None:
    assert shown(source, v=value) == expected


@pytest.mark.parametrize(
    ("style", "text"),
    [
        ("date", "31 Mar 2026"),
        ("day", "31 Mar"),
        ("datetime", "31 Mar 2026, 12:06"),
        ("time", "12:06"),
        ("relative", "31 Mar 2026"),  # longer ago than a month
    ],
)
def test_a_time_carries_its_exact_instant(style: str, text: str) -> None:
    expected = (
        f'<time datetime="2026-03-31T12:06:12+00:00" data-style="{style}"'
        f' title="31 Mar 2026, 12:06:12 UTC">{text}</time>'
    )
    assert shown("{% when v style %}", v=EXACT, style=style) == expected


@pytest.mark.parametrize(
    ("ago", "text"),
    [
        (timedelta(seconds=5), "just now"),
        (timedelta(minutes=2, seconds=5), "2 min ago"),
        (timedelta(days=3, hours=5), "3 d ago"),
        (timedelta(minutes=-24, seconds=-5), "in 24 min"),
    ],
)
def test_a_relative_time_is_said_in_one_unit(ago: timedelta, text: str) -> None:
    assert f">{text}</time>" in shown("{% when v %}", v=timezone.now() - ago)


def test_a_time_that_is_not_known_is_a_dash() -> None:
    assert shown("{% when v %}", v=None) == "–"


def test_a_judgement_has_its_word_and_its_shape() -> None:
    html = shown('{% delta "worse" "11% slower" %}')
    assert html.startswith('<span class="delta worse">')
    assert "#i-alert" in html
    assert '<span class="sr">worse: </span>11% slower' in html


@pytest.mark.parametrize(("done", "total", "share"), [(31, 100, "31.0"), (0, 0, "0.0"), (7, 5, "100.0")])
def test_a_bar_is_geometry_in_attributes(done: int, total: int, share: str) -> None:
    html = shown('{% progress done total "so far" %}', done=done, total=total)
    assert f'<rect class="done" x="0" width="{share}%"' in html
    assert 'role="img" aria-label="so far"' in html


def test_what_people_typed_is_escaped() -> None:
    assert "<b>" not in shown('{% who v v %}{% badge v %}{% chip v v "/" %}{% delta "flat" v %}', v="<b>")


def test_a_list_keeps_its_filters_from_page_to_page() -> None:
    request = RequestFactory().get("/prs/?state=open&page=2")
    page = Paginator(range(250), 100).page(2)
    html = shown('{% pagination page "pull request" "#table" %}', page=page, request=request)
    assert "101 – 200 of 250 pull requests" in html
    assert 'rel="prev" href="/prs/?state=open&amp;page=1" hx-get="/prs/?state=open&amp;page=1"' in html
    assert 'rel="next" href="/prs/?state=open&amp;page=3"' in html


@pytest.mark.parametrize(
    ("current", "sort", "direction"),
    [("-age", "age", "descending"), ("age", "-age", "ascending"), ("-size", "-age", "")],
)
def test_a_header_turns_the_order_around(current: str, sort: str, direction: str) -> None:
    request = RequestFactory().get("/prs/?state=open&page=2")
    html = shown('{% sort_header "age" "Age" current %}', current=current, request=request)
    assert f'href="/prs/?state=open&amp;sort={sort}"' in html
    assert (f'aria-sort="{direction}"' in html) == bool(direction)


def test_a_field_is_tied_to_its_help_and_its_errors() -> None:
    class Form(forms.Form):
        name = forms.CharField(help_text="As on the door.")

    html = shown("{% field form.name %}", form=Form({"name": ""}))
    assert 'aria-describedby="id_name_help id_name_errors"' in html
    assert 'aria-invalid="true"' in html
    assert 'id="id_name_help">As on the door.' in html
    assert "This field is required." in html


def test_an_empty_page_says_what_to_do_next() -> None:
    html = shown('{% empty "repo" "No repositories" "Choose some." "/x/" "Choose" %}')
    assert '<a class="btn primary" href="/x/">Choose</a>' in html


def test_the_trust_line_tells_how_much_is_known() -> None:
    html = shown('{% trust at at 1240 1369 3 "/repos/" %}', at=EXACT)
    assert "1,240 of 1,369 PRs" in html
    assert '<a href="/repos/">3 partial</a>' in html
    assert "Not synced yet" in shown("{% trust %}")


def test_a_moment_of_this_year_does_without_the_year() -> None:
    now = timezone.now()
    assert f">{now.day} {now:%b, %H:%M}<" in shown("{% when v 'moment' %}", v=now)
    assert ">31 Mar 2020, 12:06<" in shown("{% when v 'moment' %}", v=EXACT.replace(year=2020))
