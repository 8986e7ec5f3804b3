"""With DEBUG on, Django keeps the text of the last 9,000 statements. A page of a sync is some statements with all its
rows in them, so a developer's sync would grow by hundreds of megabytes, and format every statement for nothing.
"""

from __future__ import annotations

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    @property
    def queries_logged(self) -> bool:
        """Only where somebody asks for it, as tests do that count queries."""
        return self.force_debug_cursor
