"""What a caller may do, wherever it calls."""

from collections.abc import Collection

from services.runtime.identity import Caller
from services.runtime.problems import Problem


def check_scope(caller: Caller, scope: str, *, of_a_person: Collection[str]) -> Caller:
    """Return the caller when it has the scope; a person has those `of_a_person`. Raises a 403 problem."""
    allowed = of_a_person if caller.scopes is None else caller.scopes
    if scope not in allowed:
        raise Problem(403, "scope_missing", f"this needs the scope {scope}; use a key that has it")
    return caller
