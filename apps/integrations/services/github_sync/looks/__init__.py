"""What is new in all repositories of a connection at once: `look` asks, `news` says what of the answer is new,
`recheck` and `underway` read again what goes on without a word: checks and deployments.
"""

from apps.integrations.services.github_sync.looks.look import Look, look

__all__ = ("Look", "look")
