"""The console: the pages on which people on call read the log and act, made on the server."""
