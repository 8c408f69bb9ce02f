"""`make demo`: the whole flow on one machine, to look at. Nothing of the service depends on it."""
