"""Fixtures of all levels."""

pytest_plugins = ["tests.support.postgres"]
