"""What GitHub tells by itself: `inbox` keeps each event, once, and has it processed, once; `gathering` collects which
pull requests have to be fetched because of it, and `fetching` fetches them; `deliveries` asks GitHub for what did not
arrive and sees how the hooks do; `rotation` gives a connection another secret.
"""
