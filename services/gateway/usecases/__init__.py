"""What the gateway decides, one verb a file."""
