"""A moment in a query or a body: an ISO 8601 date, with or without a time; UTC where it names no zone."""

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Strict, WithJsonSchema

from contracts.faults import fault

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def _written(text: object) -> object:
    # A number would be read as seconds since 1970.
    if not isinstance(text, str) or not _DATE.match(text):
        raise ValueError
    return text


def _moment(moment: datetime) -> datetime:
    known = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    try:
        return known.astimezone(UTC)
    except OverflowError:
        raise fault("date_out_of_range", "the date is out of range") from None


Moment = Annotated[
    datetime,
    Strict(False),
    BeforeValidator(_written),
    AfterValidator(_moment),
    WithJsonSchema({"type": "string", "anyOf": [{"format": "date-time"}, {"format": "date"}]}),
]
