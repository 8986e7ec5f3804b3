def counted(repositories: int) -> str:
    """1 repository, 2,000 repositories."""
    return f"{repositories:,} {'repository' if repositories == 1 else 'repositories'}"
