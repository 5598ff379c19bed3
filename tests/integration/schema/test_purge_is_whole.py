"""Whoever adds a table that names a generation decides what a purge does with it: the build fails until then."""

import re

from services.persistence.store.purges import FORGET_GENERATIONS
from tests.support.postgres import Database

NAMING = """
SELECT table_schema || '.' || table_name FROM information_schema.columns
WHERE table_schema IN ('public', 'sorami') AND column_name IN ('job_id', 'generation_id', 'generationId')
"""
# What stays, or goes by another way, and why.
ELSEWHERE = {
    "sorami.deletions": "the tombstone itself",
    "sorami.operations": "the proof of paid work; its words go with the task",
    "sorami.tasks": "the generator's; it goes when media.deleted is heard, after the objects",
}


def test_every_table_that_names_a_generation_is_purged(migrated_once: Database) -> None:
    naming = {row[0] for row in migrated_once.rows(NAMING)}
    found = {
        name if "." in name else f"public.{name}"
        for text in FORGET_GENERATIONS.values()
        for name in re.findall(r"DELETE FROM ([a-z_.]+)", text)
    }
    assert naming - found - set(ELSEWHERE) == set(), "add them to FORGET_GENERATIONS, or to ELSEWHERE with the reason"
    assert set(ELSEWHERE) <= naming
