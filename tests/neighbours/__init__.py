"""The service's real neighbours, each started on loopback for one test or one session."""
