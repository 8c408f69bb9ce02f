"""The Slack emulator's other direction: what it sends to an app, and what it makes of answers."""
