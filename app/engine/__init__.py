"""The loops that move things along: ingest, verify, deliver, retention."""
