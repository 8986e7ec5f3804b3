"""What is stored against what GitHub states, and the repair: `nightly` says whose turn it is, `reconcile` walks,
`comparison` and `deployment_drift` judge.
"""
