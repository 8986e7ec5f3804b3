"""GitHub's answers as records: the only place where its names and spellings are known."""

from apps.integrations.services.mapping.code import HeadChecks
from apps.integrations.services.mapping.deployments import deployment_record
from apps.integrations.services.mapping.pull_requests import checks_record, pull_request_record, repository_record
from apps.integrations.services.mapping.values import account

__all__ = [
    "HeadChecks",
    "account",
    "checks_record",
    "deployment_record",
    "pull_request_record",
    "repository_record",
]
