"""What is stored against what GitHub states, and the repair: `reconcile` walks, `comparison` and `deployment_drift`
judge.
"""
