from __future__ import annotations

import pytest

from apps.integrations.services.depth import InvalidDepth, depth_label, depth_value, parse_days, parse_depth


@pytest.mark.parametrize(("text", "depth"), [("30", 30), ("60", 60), ("90", 90), ("all", None)])
def test_it_knows_the_four_depths(text, depth):
    assert parse_depth(text) == depth
    assert depth_value(depth) == text


@pytest.mark.parametrize(
    "text", ["", "-1", "0", "31", "3651", "abc", "30 ", " 30", "3e1", "30.0", "ALL", "٣٠", "9" * 400, "None"]
)
def test_everything_else_is_refused_with_the_choices(text):
    with pytest.raises(InvalidDepth, match=r"choose 30, 60, 90 \(days\) or all"):
        parse_depth(text)


def test_a_long_input_is_not_repeated_whole():
    with pytest.raises(InvalidDepth) as refused:
        parse_depth("x" * 5000)
    assert len(str(refused.value)) < 100


@pytest.mark.parametrize(("text", "depth"), [("1", 1), ("7", 7), ("3651", 3651), ("36500", 36500), ("all", None)])
def test_commands_take_any_number_of_days(text, depth):
    assert parse_days(text) == depth


@pytest.mark.parametrize("text", ["0", "-1", "36501", "999999999", "1.5", "one", ""])
def test_commands_refuse_what_is_no_number_of_days(text):
    with pytest.raises(InvalidDepth):
        parse_days(text)


@pytest.mark.parametrize(("depth", "label"), [(1, "1 day"), (30, "30 days"), (None, "full history")])
def test_it_says_a_depth_in_words(depth, label):
    assert depth_label(depth) == label
