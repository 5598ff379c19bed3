"""W3C trace context: the caller's trace goes on, or one begins, so that one trace follows a job through all hops."""

import re
import secrets

_TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})")


def continue_trace(traceparent: str | None) -> str:
    """Return the trace context of a new span in the caller's trace, or in a new one when none was sent."""
    span = secrets.token_hex(8)
    found = _TRACEPARENT.fullmatch(traceparent or "")
    if found is None:
        return f"00-{secrets.token_hex(16)}-{span}-01"
    return f"00-{found[1]}-{span}-{found[2]}"


def trace_id(traceparent: str | None) -> str | None:
    """Return the id of the caller's trace; None when none was sent."""
    found = _TRACEPARENT.fullmatch(traceparent or "")
    return found[1] if found else None
