"""Bodies and queries of this gateway's routes: the runtime's strict models."""

from services.runtime.bodies import BODY_LIMIT, Body, Query, read_body, read_query, refused

__all__ = ["BODY_LIMIT", "Body", "Query", "read_body", "read_query", "refused"]
