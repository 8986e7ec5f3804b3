"""A GitHub to develop, demonstrate, test and measure against: REST, GraphQL, OAuth and hooks over real HTTP.

`python -m devtools sandbox` runs it; tests use `SandboxServer` from `devtools.github_sandbox.server`.
"""
