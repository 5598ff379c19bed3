"""Fixtures of all levels."""

pytest_plugins = ["tests.support.stack", "tests.support.postgres"]
