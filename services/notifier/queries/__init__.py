"""What the notifier reads, by subject."""
