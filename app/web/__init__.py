"""HTTP in: the webhook, the API, health and metrics."""
