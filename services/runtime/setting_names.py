"""Names of settings that somebody misspelt: a setting that is silently not read is worse than a refused start."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path

PREFIX = "SORAMI_"
NAMES = Path(__file__).with_name("setting_names.txt")
"""Every name that any part of Sorami reads, one a line; `make contracts` writes it from the settings themselves."""
# What shells, programs of others and tests are told under our prefix.
_OF_OTHERS = frozenset({"SORAMI_URL", "SORAMI_TOKEN", "SORAMI_GENERATOR_KEY", "SORAMI_IMAGE", "SORAMI_BASE"})
_OF_TESTS = "SORAMI_TEST"
_CLOSE = 0.85
"""How alike (of 1) a name must be to count as another one misspelt; what is less so is somebody else's."""


def misspelt(environment: Mapping[str, str], known: Iterable[str] | None = None) -> dict[str, str]:
    """Return the names of the environment that no setting has, each with the setting that was probably meant."""
    names = set(known if known is not None else NAMES.read_text(encoding="utf-8").split()) | _OF_OTHERS
    ours = [name for name in environment if name.startswith(PREFIX) and not name.startswith(_OF_TESTS)]
    unknown = [name for name in ours if name not in names]
    meant = {name: get_close_matches(name, names, n=1, cutoff=_CLOSE) for name in sorted(unknown)}
    return {name: nearest[0] for name, nearest in meant.items() if nearest}
