"""What a look at the database found before anything is changed."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import asyncpg

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]
else:
    Connection = asyncpg.Connection


@dataclass(slots=True)
class Findings:
    """`blockers` stop the migration, `changes` are what it does to tables that exist, `notes` are for the person."""

    blockers: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def quoted(name: str) -> str:
    """A name as a person has to write it: camelCase in quotes."""
    return name if name.islower() and name.isidentifier() else '"' + name.replace('"', '""') + '"'
