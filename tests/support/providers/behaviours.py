"""What a fake can be told to do."""

from enum import StrEnum


class Behaviour(StrEnum):
    SUCCESS = "success"
    SLOW = "slow success"
    RATE_LIMITED = "429 with Retry-After, then success"
    SERVER_ERROR = "500, then success"
    LOST_ANSWER = "executed, and no answer in time"
    HALF_ANSWER = "executed, and the answer breaks off"
    BAD_GATEWAY = "executed, and a proxy answers 502"
    NOT_EXECUTED = "the connection ends before anything is executed"
    FILTER_INPUT = "filter on the input"
    FILTER_OUTPUT = "filter on the output"
    FILTER_PARTIAL = "filter on a part of the output"
    NO_MEDIA = "no media"
    TRUNCATED = "truncated media"
    CORRUPT = "corrupt media"
    HTML = "a web page instead of media"
    UNKNOWN_STATUS = "unknown status, then success"
    POLL_TROUBLE = "a poll fails, then success"
    AUTH = "wrong key"
    QUOTA = "quota used up"
    CAPACITY = "no capacity"
    INVALID = "invalid input"
    VANISHED = "the operation vanishes"
    FAILS = "the operation fails"
    PRIVATE_REDIRECT = "the medium redirects to a private address"
    GONE = "the medium is gone"


REFUSED_ONCE = frozenset({Behaviour.RATE_LIMITED, Behaviour.SERVER_ERROR})
REFUSED = REFUSED_ONCE | {Behaviour.AUTH, Behaviour.QUOTA, Behaviour.CAPACITY, Behaviour.INVALID}
PAUSE_SECONDS = 7
"""What the fakes ask for in `Retry-After`."""
ROUNDS = {Behaviour.SLOW: 4, Behaviour.UNKNOWN_STATUS: 1, Behaviour.POLL_TROUBLE: 1}
"""Polls that find an operation unfinished; every other behaviour lets the first poll find its end."""
