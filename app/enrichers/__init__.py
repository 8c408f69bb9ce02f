"""One file per source of context."""
