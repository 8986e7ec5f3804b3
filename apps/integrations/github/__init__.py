"""A client of GitHub's APIs: it asks, follows every page, and says plainly what it did not get.

No Django and no Celery in here. What comes back is GitHub's own shape; `services.mapping` turns it into records.
"""
