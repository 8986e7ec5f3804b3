"""Reading: one module per page, each returning what its page shows. Nothing here writes."""
