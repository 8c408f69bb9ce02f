"""The decisions, pure: no clock, no I/O, no await; standard library and google-re2 only."""
