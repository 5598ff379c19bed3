"""A list of words and phrases that nobody may ask for; case, accents and spacing do not matter."""

import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from services.generator.moderation.policy import ALLOWED, Judgement, Question


class WordList:
    """Refuses what holds one of its words as a whole word; of what was made it reads what the provider says of it."""

    name = "words"

    def __init__(self, words: Iterable[str]) -> None:
        folded = sorted({plain for word in words if (plain := _fold(word))}, key=len, reverse=True)
        self._pattern = (
            re.compile(rf"(?<!\w)(?:{'|'.join(re.escape(word) for word in folded)})(?!\w)") if folded else None
        )

    async def judge(self, question: Question) -> Judgement:
        """Return the judgement; every word that was found is a reason."""
        if question.stage == "input":
            found = self._found(question.prompt) + self._found(question.caption)
            return Judgement(found) if found else ALLOWED
        told = {picture.index: self._found(picture.words) for picture in question.pictures}
        reasons = [word for words in told.values() for word in words]
        return Judgement(reasons, frozenset(index for index, words in told.items() if words)) if reasons else ALLOWED

    async def close(self) -> None:
        """Nothing is held."""

    def _found(self, text: str | None) -> list[str]:
        return self._pattern.findall(_fold(text)) if self._pattern is not None and text else []


def read_words(path: Path) -> list[str]:
    """Read a file with a word or phrase a line; `#` begins a comment. Raises ValueError when it cannot be read."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"SORAMI_MODERATION_WORDS: {path} cannot be read ({type(error).__name__})") from None
    return [word for line in lines if (word := line.partition("#")[0].strip())]


def _fold(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold())
    kept = "".join(c for c in plain if not unicodedata.combining(c) and unicodedata.category(c) != "Cf")
    return " ".join(kept.split())
