"""Records into rows: a page of pull requests, or of deployments, with a number of statements that does not depend on
how many rows they have. Everything runs in the caller's `team_scope`, so in one transaction.
"""

from apps.metrics.services.ingest.code import IngestedChecks, ingest_checks
from apps.metrics.services.ingest.deployments import IngestedDeployments, ingest_deployments
from apps.metrics.services.ingest.news import IngestedNews, ingest_news
from apps.metrics.services.ingest.page import Ingested, ingest_pull_requests
from apps.metrics.services.ingest.pull_requests import SETTLED

__all__ = [
    "SETTLED",
    "Ingested",
    "IngestedChecks",
    "IngestedDeployments",
    "IngestedNews",
    "ingest_checks",
    "ingest_deployments",
    "ingest_news",
    "ingest_pull_requests",
]
