"""The calculations: pure functions from records to numbers. No database, no clock, no source's shapes.

What each number means, and why it is defined so, is written in docs/metrics.md.
"""

from apps.metrics.calculations.checks import CIStatus, ci_status_of
from apps.metrics.calculations.derived import DERIVED_FROM, Derived, Size, derive, size_of
from apps.metrics.calculations.files import FileCategory, category_of
from apps.metrics.calculations.people import BotRule, default_rule, person_of
from apps.metrics.calculations.rounds import Round, open_request_of, review_rounds_of
from apps.metrics.calculations.stages import Stages, stages_of

__all__ = [
    "DERIVED_FROM",
    "BotRule",
    "CIStatus",
    "Derived",
    "FileCategory",
    "Round",
    "Size",
    "Stages",
    "category_of",
    "ci_status_of",
    "default_rule",
    "derive",
    "open_request_of",
    "person_of",
    "review_rounds_of",
    "size_of",
    "stages_of",
]
