"""The commands, each run as a process of its own, against a service that is one too."""
