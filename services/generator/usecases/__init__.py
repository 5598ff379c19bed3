"""What the generator decides, one verb a file."""
