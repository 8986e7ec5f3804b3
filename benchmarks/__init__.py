"""One module a figure, each with `main() -> bool`: print a table, say whether nothing that is demanded was missed.

Importing the package starts Django, in the database of DATABASE_URL.
"""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tformance.settings.dev")
django.setup()
