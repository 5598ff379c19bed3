"""What the gateway reads, by subject."""
