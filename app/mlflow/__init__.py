"""What MLflow says: its model registry and runs asked, and the webhooks it sends."""
