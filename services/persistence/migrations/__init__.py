"""The SQL files in order, and what runs them."""
