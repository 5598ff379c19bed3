"""What an API key may do. A person who signed in may do all of it but operate and act for others."""

from enum import StrEnum


class Scope(StrEnum):
    """One permission; a key carries those it was made with."""

    JOBS_READ = "jobs:read"
    JOBS_WRITE = "jobs:write"
    MEDIA_READ = "media:read"
    MEDIA_WRITE = "media:write"
    ACCOUNT = "account"
    """Keys, webhook endpoints and settings of the account."""
    ACT_FOR_OTHERS = "act-for-others"
    """`user_id` in a request names whose job it is."""
    GENERATE = "generate"
    """Be a generator: upload what was rendered for jobs of external models."""
    OPERATE = "operate"
    """Queues, dead letters and orphans of the whole system."""


PERSONAL = frozenset({Scope.JOBS_READ, Scope.JOBS_WRITE, Scope.MEDIA_READ, Scope.MEDIA_WRITE, Scope.ACCOUNT})
"""What a person who signed in may do."""


OF_OPERATORS = PERSONAL | {Scope.ACT_FOR_OTHERS, Scope.GENERATE, Scope.OPERATE}
"""What a person may do whom the settings name as an operator."""


def allowed_scopes(given: frozenset[str] | None, *, operator: bool) -> frozenset[str]:
    """Return what a caller may do: a key what it was made with, a person what is personal, an operator all of it."""
    if given is not None:
        return given
    return OF_OPERATORS if operator else PERSONAL
