"""Search over prompts. Candidates are the newest that match, so that a common word costs no more than a rare one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.kinds import KINDS, Kind
from services.gateway.queries.gallery import Filters, Values, checks, kinds_of
from services.gateway.queries.generations import ALWAYS, NEVER, checked_author
from services.runtime.database import Pool

WINDOW = 200
"""How many of the newest matches are ranked; what is older is found by a narrower question."""
_DEPTH = 10_000
"""How many of the newest documents are looked through one by one before the index of words is asked."""
_DEEPEST = 60_000
_CHECKED = 10_000
"""How many of the newest that match by their words are checked against the other filters."""
_KEPT = 20_000
"""How many items of an album, favourites or the trash are looked through."""
_PENDING = 2_000

# lexemes: what words may stand as in a document, and whether a language leaves them out.
LEXEMES = "SELECT w.word, l.lexemes, l.is_stop FROM unnest($1::text[]) AS w(word), sorami.search_lexemes(w.word) l"

# near_words: words that were written in some prompt and differ by about a letter from what was typed.
NEAR_WORDS = """
    SELECT word FROM sorami.search_words
    WHERE near && sorami.search_near($1) AND length(word) BETWEEN length($1) - 2 AND length($1) + 2 LIMIT 300
"""


@dataclass(frozen=True, slots=True)
class Lexemes:
    """What a word may stand as in a document; `is_stop` when a language takes it for a mere joint."""

    forms: frozenset[str]
    is_stop: bool


@dataclass(frozen=True, slots=True)
class Question:
    """The same question three times as tsquery texts: what must match, what counts fully, what counts for less."""

    must: str
    strong: str
    weak: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """A generation that matches."""

    kind: str
    id: str
    at: datetime
    rank: float


_QUERY = "$2::tsquery"


def _unindexed(kind: Kind) -> str:
    return f"""(SELECT p.generation_id, p.kind, p.owner_id, g."createdAt"::timestamptz AS created_at,
                      sorami.search_document(g.prompt) AS document
               FROM sorami.search_pending p JOIN {kind.generations_table} g ON g.id = p.generation_id
               WHERE p.owner_id = $1 AND p.kind = '{kind.name}' LIMIT {_PENDING})"""  # noqa: S608


def _kept(table: str, where: str, moment: str) -> str:
    return f"""(SELECT s.* FROM {table} w JOIN sorami.search_documents s ON s.generation_id = w.generation_id
               WHERE {where} ORDER BY w.{moment} DESC, w.generation_id DESC LIMIT $6)"""  # noqa: S608


_SOURCES = {
    "recent": """(SELECT * FROM sorami.search_documents WHERE owner_id = $1
                   AND created_at >= $7::timestamptz AND created_at < $8::timestamptz
                 ORDER BY created_at DESC, generation_id DESC LIMIT $6)""",
    # The owner is compared in a way that no index knows: else all documents of an owner of a million would be read.
    "whole": f"""(SELECT * FROM sorami.search_documents s
                 WHERE s.document @@ {_QUERY} AND coalesce(s.owner_id = $1, false) OFFSET 0 LIMIT $6)""",  # noqa: S608
    "pending": f"(SELECT * FROM ({' UNION ALL '.join(_unindexed(kind) for kind in KINDS.values())}) new LIMIT $6)",  # noqa: S608
    "album": _kept("sorami.album_items", "w.album_id = $9", "made_at"),
    "favourites": _kept("sorami.favourites", "w.owner_id = $1", "made_at"),
    "trash": _kept("sorami.deletions", "w.owner_id = $1 AND w.purged_at IS NULL", "deleted_at"),
}


def matches_statement(
    owner_id: str, filters: Filters, source: str, question: Question, until: datetime, depth: int | None
) -> tuple[str, list[Any]]:
    """Return the statement that finds the newest matches among the rows of a source, and its values."""
    values = Values(owner_id, question.must, question.strong, question.weak, until, depth)
    values.given += [filters.after or NEVER, filters.before or ALWAYS]
    if source == "album":
        values.given.append(filters.album_id)
    conditions = checks(filters, values)
    kinds = values.place([kind.name for kind in kinds_of(filters)], "text[]")

    def passes(kind: Kind) -> str:
        return f"""SELECT FROM {kind.generations_table} g LEFT JOIN sorami.jobs j ON j.id = g.id
            WHERE g.id = c.generation_id AND c.kind = '{kind.name}' AND {checked_author("$1")} AND {conditions}"""

    # Sorted before the rows themselves are looked at, so that looking stops at the window's end.
    statement = f"""
        SELECT found.kind, found.generation_id AS id, found.created_at AS at,
               ts_rank(found.document, $3::tsquery) + 0.25 * ts_rank(found.document, $4::tsquery) AS rank
        FROM (SELECT c.kind, c.generation_id, c.created_at, c.document
              FROM (SELECT * FROM {_SOURCES[source]} s
                    WHERE s.document @@ {_QUERY} AND s.created_at <= $5::timestamptz
                      AND s.created_at >= $7::timestamptz AND s.created_at < $8::timestamptz
                      AND s.kind = ANY({kinds})
                    ORDER BY s.created_at DESC, s.generation_id DESC LIMIT {_CHECKED}) c
              CROSS JOIN LATERAL ({" UNION ALL ".join(passes(kind) for kind in kinds_of(filters))}) passing
              LIMIT {WINDOW}) found
    """  # noqa: S608 - names of the declared kinds
    return statement, values.given


_EVERYTHING = Filters(
    statuses=(), styles=(), qualities=(), sizes=(), formats=(), models=(), after=NEVER, before=ALWAYS, sources=(),
    favourite=False, album_id="", parent_id="",
)  # fmt: skip
# Every source with every filter: what a role must be allowed to read.
MATCHES = {name: matches_statement("", _EVERYTHING, name, Question("", "", ""), ALWAYS, 1)[0] for name in _SOURCES}

# has_more_documents: whether the newest that are looked through one by one are not all.
HAS_MORE_DOCUMENTS = """
    SELECT EXISTS (SELECT FROM sorami.search_documents WHERE owner_id = $1
                   ORDER BY created_at DESC, generation_id DESC OFFSET $2 LIMIT 1)
"""


async def lexemes(pool: Pool, words: Sequence[str]) -> dict[str, Lexemes]:
    """Return what each word may stand as."""
    rows = await pool.fetch(LEXEMES, list(words))
    return {row["word"]: Lexemes(frozenset(form for form in row["lexemes"] if form), row["is_stop"]) for row in rows}


async def near_words(pool: Pool, word: str) -> list[str]:
    """Return words of prompts that a mistyped one may have meant."""
    return [row["word"] for row in await pool.fetch(NEAR_WORDS, word)]


async def matches(pool: Pool, owner_id: str, filters: Filters, question: Question, *, until: datetime) -> list[Match]:
    """Return the newest matches up to a moment, at most WINDOW, newest first."""

    async def look(source: str, depth: int | None = None) -> list[Match]:
        statement, values = matches_statement(owner_id, filters, source, question, until, depth)
        rows = await pool.fetch(statement, *values)
        return [Match(row["kind"], row["id"], row["at"], row["rank"]) for row in rows]

    async def among_all() -> list[Match]:
        found = await look("recent", _DEPTH)
        if len(found) == WINDOW or not await pool.fetchval(HAS_MORE_DOCUMENTS, owner_id, _DEPTH):
            return found
        # What was found tells how far the window's end may be; a rare word is quicker found by the index of words.
        deeper = int(1.3 * _DEPTH * WINDOW / max(len(found), 1))
        if deeper <= _DEEPEST and len(found := await look("recent", deeper)) == WINDOW:
            return found
        return await look("whole")

    # What waits is looked at first: a row that is indexed meanwhile is then found among the documents.
    waiting = await look("pending", _PENDING)
    kept = filters.walk in ("album", "favourites", "trash")
    documents = await look(filters.walk, _KEPT) if kept else await among_all()
    found = {match.id: match for match in [*documents, *waiting]}
    return sorted(found.values(), key=lambda match: (match.at, match.id), reverse=True)[:WINDOW]
