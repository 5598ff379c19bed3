"""What a prompt is about: its words choose the scene, the palette and the seed's key; French and English."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from services.generator.providers.procedural.colour import rgb
from services.generator.providers.procedural.palettes import COLOURS, MOODS, PALETTES, Palette, tinted
from services.generator.providers.procedural.vocabulary import ANIMALS, PHRASES, SCENES, Subject

_MOOD_WORDS: Final = frozenset(word for phrases in MOODS.values() for word in phrases)


@dataclass(frozen=True, slots=True)
class Reading:
    """A prompt as understood: what to draw and in which palette; `spoken` when words chose the colours; the first
    animal it names, if any."""

    scene: str
    title: str
    palette: Palette
    words: frozenset[str]
    spoken: bool
    animal: str


def fold(text: str) -> str:
    """Lower case without accents, words parted by single spaces."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace("œ", "oe")).encode("ascii", "ignore").decode()
    return " ".join(re.findall(r"[a-z0-9]+", plain))


def read(prompt: str) -> Reading:
    """Choose scene and palette from the words; what no word decides, the hash of the prompt decides."""
    text = fold(prompt)
    places = _places(text)
    words = frozenset(places)
    subject = _subject(text, places)
    mood = _mood(text, words, subject)
    palette = PALETTES[mood or subject.moods[digest(f"mood {text}") % len(subject.moods)]]
    colours = [rgb(COLOURS[word]) for word in text.split() if word in COLOURS and word not in subject.not_colours]
    animal = next((ANIMALS[word] for word in sorted(places, key=places.__getitem__) if word in ANIMALS), "")
    title = f"Face to face: {animal}" if animal and subject.scene == "animals" else subject.title
    return Reading(subject.scene, title, tinted(palette, colours[:3]), words, bool(mood or colours), animal)


def digest(text: str) -> int:
    """A stable number for a text."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def _places(text: str) -> dict[str, int]:
    """Every word with its place: as written, as the phrase it belongs to, and as its likely singular."""
    for phrase, mark in PHRASES.items():
        text = re.sub(rf"\b{phrase}\b", mark, text)
    places: dict[str, int] = {}
    for place, word in enumerate(text.split()):
        forms = [word]
        if len(word) > 3 and word[-1] in "sx":
            forms.append(word[:-1])
        if len(word) > 4 and word.endswith("es"):
            forms.append(word[:-2])
        for form in forms:
            places.setdefault(form, place)
    return places


def _subject(text: str, places: dict[str, int]) -> Subject:
    """The subject most spoken of: by weight, then by where it is first named; a word of mood alone weighs less."""
    best: tuple[float, Subject] | None = None
    for subject in SCENES:
        hits = subject.words & places.keys()
        if not hits:
            continue
        first = min(places[hit] for hit in hits)
        score = subject.weight * 4 + len(hits) - first / (len(places) + 1)
        if hits <= _MOOD_WORDS:
            score -= 3.5
        if best is None or score > best[0]:
            best = (score, subject)
    if best is not None:
        return best[1]
    chosen = [subject for subject in SCENES if subject.free]
    return chosen[digest(text) % len(chosen)]


def _mood(text: str, words: frozenset[str], subject: Subject) -> str | None:
    """The mood the words ask for."""
    for name, spoken in _in_order(text, MOODS):
        if any((" " in phrase and phrase in text) or phrase in words for phrase in spoken):
            return subject.instead.get(name, name)
    return None


def _in_order(text: str, moods: Mapping[str, tuple[str, ...]]) -> Iterable[tuple[str, tuple[str, ...]]]:
    """Moods with a phrase of several words first: 'lever de soleil' outweighs 'nuit'."""
    return sorted(moods.items(), key=lambda item: not any(" " in phrase and phrase in text for phrase in item[1]))
