"""How long media are kept, by policy: for everybody, for members of an organisation, for a person. Pure."""

from collections.abc import Mapping, Sequence

EVERYBODY = ""


def read_media_days(parts: Sequence[str]) -> dict[str, float]:
    """Read `90`, `organization:<id>=365`, `user:<id>=0`; 0 is for ever. Raises ValueError."""
    found: dict[str, float] = {}
    for part in parts:
        name, _, number = part.rpartition("=")
        whose, _, who = name.partition(":")
        if name != EVERYBODY and not (whose in ("organization", "user") and who):
            raise ValueError("each must be days, organization:<id>=days or user:<id>=days, separated by commas")
        if not number.replace(".", "", 1).isdigit():
            raise ValueError("days must be a number; 0 is for ever")
        found[name] = float(number)
    return found


def shortest(days: Mapping[str, float]) -> float | None:
    """Return the shortest of the times, in days; None where everything is kept for ever."""
    return min((number for number in days.values() if number > 0), default=None)
