"""Slack in: what people press, type and mark there, over HTTP and Socket Mode alike."""
