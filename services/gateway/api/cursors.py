"""Cursors of this gateway's lists: the runtime's opaque ones."""

from services.runtime.cursors import DEFAULT, MOST, read_cursor, read_limit, write_cursor

__all__ = ["DEFAULT", "MOST", "read_cursor", "read_limit", "write_cursor"]
