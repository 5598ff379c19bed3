"""What the services agree on: data and pure functions, no input or output."""
