"""Every statement the notifier writes with, by subject."""
