"""Search prompts in French and English at once: accents do not count, stems do, slips of the finger are forgiven."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.gateway.queries import gallery, search
from services.gateway.queries.gallery import Filters
from services.gateway.queries.generations import ALWAYS, GenerationView
from services.gateway.queries.search import WINDOW, Lexemes, Match, Question
from services.runtime.database import Pool
from services.runtime.own_rows import OwnRows

MOST_WORDS = 12
MOST_LETTERS = 40
FEW = 5
"""With fewer matches than this, words that were perhaps mistyped are looked for too."""
_NEAR_MOST = 6
_MARKED_WORDS = 400
_CACHE = 50_000
# A word of any script; combining accents belong to it, underscores do not.
_WORD = re.compile(r"(?:[^\W_]|[\u0300-\u036f])+")


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a prompt as plain text; `match` where it is what was looked for."""

    text: str
    match: bool


@dataclass(frozen=True, slots=True)
class Hit:
    """A generation that was found, and where in its prompt."""

    view: GenerationView
    rank: float
    segments: list[Segment]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a search goes on: what was newest when it began, how far it came, and whether slips were forgiven."""

    until: datetime
    offset: int
    forgiving: bool


@dataclass(frozen=True, slots=True)
class Found:
    """A page of what was found. `total` counts what was ranked; `all_counted` when that is all there is."""

    hits: list[Hit]
    total: int
    all_counted: bool
    forgiving: bool
    after: Place | None


class NothingToSearch(Exception):
    """The text holds no letter and no digit."""


def words_of(text: str) -> list[str]:
    """Return the different words of a search text in their order; raises NothingToSearch."""
    words = dict.fromkeys(match[0].lower()[:MOST_LETTERS] for match in _WORD.finditer(text))
    if not words:
        raise NothingToSearch
    return list(words)[:MOST_WORDS]


def slips(one: str, other: str, most: int) -> int:
    """Count letters added, left out, changed or swapped between two words; anything above `most` is `most + 1`."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    rows = [list(range(len(other) + 1))]
    for i, a in enumerate(one, start=1):
        row = [i]
        for j, b in enumerate(other, start=1):
            cost = min(rows[-1][j] + 1, row[j - 1] + 1, rows[-1][j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, rows[-2][j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
        rows.append(row)
    return rows[-1][-1]


def _plain(word: str) -> str:
    """Fold accents as the database does, near enough to count slips."""
    return "".join(c for c in unicodedata.normalize("NFKD", word.lower()) if not unicodedata.combining(c))


def _quoted(lexeme: str) -> str:
    return "'" + lexeme.replace("\\", "\\\\").replace("'", "''") + "'"


def _either(lexemes: Iterable[str]) -> str:
    return " | ".join(sorted(_quoted(lexeme) for lexeme in lexemes))


class SearchPrompts:
    """The use case behind `q`; remembers what words stand as, since stems never change."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._known: dict[str, Lexemes] = {}

    async def __call__(
        self, owner_id: str, text: str, filters: Filters, *, by_rank: bool, place: Place | None, limit: int
    ) -> Found:
        """Return a page of what matches; raises NothingToSearch."""
        words = words_of(text)
        forgiving = place.forgiving if place else False
        until = place.until if place else ALWAYS
        asked = await self._asked(words, forgiving=forgiving)
        matched = await search.matches(self._pool, owner_id, filters, asked.question, until=until)
        if place is None and len(matched) < FEW:
            wider = await self._asked(words, forgiving=True)
            more = await search.matches(self._pool, owner_id, filters, wider.question, until=until)
            if len(more) > len(matched):
                asked, matched, forgiving = wider, more, True
        newest = matched[0].at if matched else until
        if by_rank:
            # Equal ranks keep their order: the newest first.
            matched = sorted(matched, key=lambda match: -round(match.rank, 6))
        begin = place.offset if place else 0
        end = begin + limit
        after = Place(place.until if place else newest, end, forgiving) if len(matched) > end else None
        hits = await self._hits(owner_id, matched[begin:end], asked)
        return Found(hits, len(matched), len(matched) < WINDOW, forgiving, after)

    async def _asked(self, words: Sequence[str], *, forgiving: bool) -> "_Asked":
        known = await self._lexemes(words)
        # Joints ("de", "the") are asked for only when there is nothing else; "or" is one in English, gold in French.
        telling = [word for word in words if not known[word].is_stop] or list(words)
        strong = {form for word in telling for form in known[word].forms}
        if not forgiving:
            must = " & ".join(f"({_either(known[word].forms)})" for word in telling)
            return _Asked(Question(must, _either(strong)), frozenset(strong), None)
        prefix = _plain(telling[-1]) if len(telling[-1]) >= 3 else None
        alternatives: list[str] = []
        weak: set[str] = set()
        for word in telling:
            near = await self._near(word)
            weak |= near - strong
            forms = _either(known[word].forms | near)
            begun = f" | {_quoted(prefix)}:*" if prefix and word == telling[-1] else ""
            alternatives.append(f"({forms}{begun})")
        question = Question(" & ".join(alternatives), _either(strong), _either(weak))
        return _Asked(question, frozenset(strong | weak), prefix)

    async def _near(self, word: str) -> frozenset[str]:
        typed = _plain(word)
        most = 0 if len(typed) < 4 else 1 if len(typed) < 7 else 2
        if not most or not typed.isalpha():
            return frozenset()
        counted = [(slips(typed, other, most), other) for other in await search.near_words(self._pool, typed)]
        best = [other for count, other in sorted(counted) if 0 < count <= most][:_NEAR_MOST]
        known = await self._lexemes(best)
        return frozenset(form for other in best for form in known[other].forms)

    async def _lexemes(self, words: Iterable[str]) -> dict[str, Lexemes]:
        wanted = set(words)
        found = {word: self._known[word] for word in wanted if word in self._known}
        missing = sorted(wanted - found.keys())
        if missing:
            fetched = await search.lexemes(self._pool, missing)
            if len(self._known) > _CACHE:
                self._known = {}
            self._known |= fetched
            found |= fetched
        return found

    async def _hits(self, owner_id: str, matched: Sequence[Match], asked: "_Asked") -> list[Hit]:
        views = await gallery.in_order(OwnRows(self._pool, owner_id), [(match.kind, match.id) for match in matched])
        ranks = {match.id: match.rank for match in matched}
        known = await self._lexemes({word for view in views for _, word in _marks(view.prompt)})
        return [Hit(view, ranks[view.id], _segments(view.prompt, known, asked)) for view in views]


@dataclass(frozen=True, slots=True)
class _Asked:
    question: Question
    forms: frozenset[str]
    prefix: str | None


def _marks(prompt: str) -> list[tuple[re.Match[str], str]]:
    found = []
    for match in _WORD.finditer(prompt):
        found.append((match, match[0].lower()[:MOST_LETTERS]))
        if len(found) == _MARKED_WORDS:
            break
    return found


def _segments(prompt: str, known: dict[str, Lexemes], asked: _Asked) -> list[Segment]:
    segments: list[Segment] = []
    place = 0
    for match, word in _marks(prompt):
        begun = asked.prefix is not None and _plain(word).startswith(asked.prefix)
        if not begun and known[word].forms.isdisjoint(asked.forms):
            continue
        if match.start() > place:
            segments.append(Segment(prompt[place : match.start()], False))
        segments.append(Segment(match[0], True))
        place = match.end()
    if place < len(prompt):
        segments.append(Segment(prompt[place:], False))
    return segments
