"""Django's PostgreSQL backend, but for one habit: see `base`."""
