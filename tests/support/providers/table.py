"""Every provider through every behaviour of its fake: how it ends, and how often it is paid for. No cell is missing."""

from collections.abc import Mapping
from dataclasses import dataclass

from contracts.failures import FailureCode
from tests.support.providers.behaviours import PAUSE_SECONDS, Behaviour

B = Behaviour
C = FailureCode


@dataclass(frozen=True)
class Done:
    """Files came, as many as asked for unless `partial` names why some are missing."""

    paid: int = 1
    count: int = 1
    partial: str | None = None
    waits: float | None = None


@dataclass(frozen=True)
class Fails:
    """A typed failure."""

    code: FailureCode
    charged: str = "no"
    stage: str | None = None
    paid: int = 1


@dataclass(frozen=True)
class Waits:
    """Accepted; its end comes by the backend's own webhook, which is the gateway's (test_backend_webhooks.py)."""

    paid: int = 1


@dataclass(frozen=True)
class Never:
    """Cannot happen, and why."""

    why: str


Cell = Done | Fails | Waits | Never
UNKNOWN = Fails(C.OUTCOME_UNKNOWN, "unknown")
SPOILED = Fails(C.PROVIDER_ERROR, "yes")

# What holds for every provider that answers over HTTP.
COMMON: Mapping[Behaviour, Cell] = {
    B.SUCCESS: Done(),
    B.RATE_LIMITED: Done(waits=PAUSE_SECONDS),
    B.SERVER_ERROR: Done(),
    B.LOST_ANSWER: UNKNOWN,
    B.HALF_ANSWER: UNKNOWN,
    B.BAD_GATEWAY: UNKNOWN,
    B.NOT_EXECUTED: Fails(C.OUTCOME_UNKNOWN, "unknown", paid=0),
    B.AUTH: Fails(C.PROVIDER_AUTH, paid=0),
    B.QUOTA: Fails(C.QUOTA, paid=0),
    B.CAPACITY: Fails(C.OVERLOADED, paid=0),
    B.INVALID: Fails(C.INVALID_INPUT, paid=0),
    B.TRUNCATED: SPOILED,
    B.CORRUPT: SPOILED,
    B.HTML: SPOILED,
}
# What holds for those whose media lie at an address.
ADDRESSES: Mapping[Behaviour, Cell] = {B.PRIVATE_REDIRECT: SPOILED, B.GONE: SPOILED}
# What holds for those with operations.
OPERATIONS: Mapping[Behaviour, Cell] = {
    B.SLOW: Done(),
    B.UNKNOWN_STATUS: Done(),
    B.POLL_TROUBLE: Done(),
    B.VANISHED: Fails(C.PROVIDER_ERROR, "unknown"),
}
# What cannot happen where an order is one call: there is no job to ask about.
ONE_CALL: Mapping[Behaviour, Cell] = {
    B.SLOW: Done(),
    # Whether a picture that was being made when it failed is charged, nobody says: a person decides.
    B.SERVER_ERROR: Fails(C.PROVIDER_ERROR, "unknown", paid=0),
    **dict.fromkeys(
        (B.UNKNOWN_STATUS, B.POLL_TROUBLE, B.VANISHED, B.FAILS), Never("one call: there is no operation to ask about")
    ),
}
INLINE: Mapping[Behaviour, Cell] = dict.fromkeys(
    (B.PRIVATE_REDIRECT, B.GONE), Never("its media come within the answer, from no address")
)
# A lost answer is looked for where the provider can be asked.
FINDABLE: Mapping[Behaviour, Cell] = {
    B.LOST_ANSWER: Done(),
    B.HALF_ANSWER: Done(),
    B.BAD_GATEWAY: Done(),
    B.NOT_EXECUTED: Done(),
}
OPENAI: Mapping[Behaviour, Cell] = {
    **COMMON,
    **ONE_CALL,
    **INLINE,
    B.FILTER_INPUT: Fails(C.CONTENT_FILTERED, "unknown", "input_prompt"),
    B.FILTER_OUTPUT: Fails(C.CONTENT_FILTERED, "unknown", "output"),
    B.FILTER_PARTIAL: Done(count=1, partial="no_media"),
    B.NO_MEDIA: Fails(C.NO_MEDIA, "unknown", "output"),
}
# On a machine of the operator's nothing is charged, so that what failed may simply run again.
COMFYUI: Mapping[Behaviour, Cell] = {
    **COMMON,
    B.QUOTA: Never("a machine of the operator's has no balance"),
    **dict.fromkeys((B.FILTER_INPUT, B.FILTER_OUTPUT, B.FILTER_PARTIAL), Never("it has no filter")),
    **ADDRESSES,
    **OPERATIONS,
    **FINDABLE,
    B.NO_MEDIA: Fails(C.NO_MEDIA, "no", "output"),
    B.VANISHED: Fails(C.PROVIDER_ERROR, paid=3),
    B.FAILS: Fails(C.OVERLOADED, paid=3),
}

TABLE: Mapping[str, Mapping[Behaviour, Cell]] = {
    "gemini": {
        **COMMON,
        **ONE_CALL,
        **INLINE,
        B.FILTER_INPUT: Fails(C.CONTENT_FILTERED, "unknown", "input_prompt"),
        B.FILTER_OUTPUT: Fails(C.CONTENT_FILTERED, "unknown", "output"),
        B.FILTER_PARTIAL: Done(paid=2, count=1, partial="content_filtered"),
        B.NO_MEDIA: Fails(C.NO_MEDIA, "unknown", "output"),
    },
    "veo": {
        **COMMON,
        **ADDRESSES,
        **OPERATIONS,
        B.UNKNOWN_STATUS: Never("an operation is done or not: it has no other word"),
        B.FILTER_INPUT: Fails(C.CONTENT_FILTERED, "no", "input_prompt"),
        B.FILTER_OUTPUT: Fails(C.CONTENT_FILTERED, "no", "output"),
        B.FILTER_PARTIAL: Done(paid=2, count=1, partial="content_filtered"),
        B.NO_MEDIA: Fails(C.NO_MEDIA, "unknown", "output"),
        # Google does not charge an operation that ended with an error.
        B.FAILS: Fails(C.PROVIDER_ERROR, paid=3),
    },
    "openai": OPENAI,
    "openai with a key for repeats": {**OPENAI, **FINDABLE},
    "localai": {**OPENAI, **ADDRESSES},
    "comfyui": COMFYUI,
    "comfyui before 0.26": COMFYUI,
    "fal": {
        **COMMON,
        **ADDRESSES,
        **OPERATIONS,
        B.FILTER_INPUT: Fails(C.CONTENT_FILTERED, "unknown", "input_prompt"),
        B.FILTER_OUTPUT: Fails(C.CONTENT_FILTERED, "unknown", "output"),
        B.FILTER_PARTIAL: Done(count=1, partial="content_filtered"),
        B.NO_MEDIA: Fails(C.NO_MEDIA, "no", "output"),
        # 5xx are not billed.
        B.FAILS: Fails(C.TIMEOUT, paid=3),
    },
    "replicate": {
        **COMMON,
        **ADDRESSES,
        **OPERATIONS,
        **FINDABLE,
        B.FILTER_INPUT: Never("it says the same of a prompt and of a picture: see the filter on the output"),
        B.FILTER_OUTPUT: Fails(C.CONTENT_FILTERED, "unknown", "output"),
        B.FILTER_PARTIAL: Done(count=1, partial="content_filtered"),
        B.NO_MEDIA: Fails(C.NO_MEDIA, "yes", "output"),
        B.FAILS: Fails(C.PROVIDER_ERROR, "unknown"),
    },
    "bfl": {
        **COMMON,
        **ADDRESSES,
        **OPERATIONS,
        B.FILTER_INPUT: Fails(C.CONTENT_FILTERED, "no", "input_prompt"),
        B.FILTER_OUTPUT: Fails(C.CONTENT_FILTERED, "no", "output"),
        B.FILTER_PARTIAL: Done(paid=2, count=1, partial="content_filtered"),
        B.NO_MEDIA: Fails(C.NO_MEDIA, "unknown", "output"),
        B.FAILS: Fails(C.PROVIDER_ERROR, paid=3),
    },
    "flask": {
        B.SUCCESS: Waits(),
        B.RATE_LIMITED: Waits(),
        B.SERVER_ERROR: Waits(),
        B.LOST_ANSWER: UNKNOWN,
        B.HALF_ANSWER: UNKNOWN,
        B.BAD_GATEWAY: UNKNOWN,
        B.NOT_EXECUTED: Fails(C.OUTCOME_UNKNOWN, "unknown", paid=0),
        B.AUTH: Fails(C.PROVIDER_AUTH, paid=0),
        B.QUOTA: Never("the seeds' backend keeps no balance of ours"),
        B.CAPACITY: Fails(C.OVERLOADED, paid=0),
        B.INVALID: Fails(C.INVALID_INPUT, paid=0),
        **dict.fromkeys(
            (
                *(B.SLOW, B.UNKNOWN_STATUS, B.POLL_TROUBLE, B.VANISHED, B.FAILS, B.NO_MEDIA),
                *(B.FILTER_INPUT, B.FILTER_OUTPUT, B.FILTER_PARTIAL),
            ),
            Never("it is not asked: its webhook tells how it ended"),
        ),
        **dict.fromkeys(
            (B.TRUNCATED, B.CORRUPT, B.HTML, B.PRIVATE_REDIRECT, B.GONE),
            Never("its files stay at the addresses that its webhook gives"),
        ),
    },
}

CELLS = [(name, behaviour) for name, row in TABLE.items() for behaviour in row]
LIVE = [(name, behaviour) for name, behaviour in CELLS if not isinstance(TABLE[name][behaviour], Never)]
