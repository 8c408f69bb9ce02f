"""What Alertmanager says: the bodies it sends, and its API asked back."""
