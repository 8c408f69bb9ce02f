"""One file per transport: what an incident looks like there, and the calls that show it."""
