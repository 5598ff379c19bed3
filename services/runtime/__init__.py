"""What every process needs and that knows no jobs."""
