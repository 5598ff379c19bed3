"""What the notifier decides, one verb a file."""
