"""What persistence decides, one verb a file."""
