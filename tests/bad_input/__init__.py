"""The rows of the bad-input table: each a test with its number in the id."""
