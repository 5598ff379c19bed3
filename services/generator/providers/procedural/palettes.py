"""Palettes: curated by mood, chosen by the prompt's words, tinted by its colour words."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from services.generator.providers.procedural.colour import Rgb, hue_towards, lightness, mix, rgb, shift


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours by their part in a picture; `sky` runs from the zenith to the horizon."""

    name: str
    sky: tuple[Rgb, ...]
    light: Rgb
    mist: Rgb
    far: Rgb
    near: Rgb
    accents: tuple[Rgb, ...]
    paper: Rgb
    ink: Rgb
    dark: bool


def _palette(name: str, sky: str, light: str, mist: str, land: str, accents: str, ground: str, dark: bool) -> Palette:
    far, near = (rgb(code) for code in land.split())
    paper, ink = (rgb(code) for code in ground.split())
    skies = tuple(rgb(code) for code in sky.split())
    return Palette(
        name, skies, rgb(light), rgb(mist), far, near, tuple(rgb(code) for code in accents.split()), paper, ink, dark
    )


_ALL = (
    _palette(
        "dusk",
        "1b1440 4a2a6e a8497e f08a7a ffd0a0",
        "ffe2b8",
        "d99aa8",
        "6d4a86 150f2a",
        "f2545b f7a072 ffd9a0 7d5ba6 2d3561",
        "f6ece2 1c1633",
        True,
    ),
    _palette(
        "dawn",
        "5b7db8 9db4dc f0c7d0 ffd9b8 fff0d0",
        "fff4d8",
        "f4dcd8",
        "9aa6c8 2c3a5c",
        "ff9b85 ffd97d aaf0d1 60a3d9 5c6bc0",
        "fbf3ea 26304d",
        False,
    ),
    _palette(
        "sunset",
        "23407c 5a6fae d98a8f ffb173 ffe39a",
        "fff0b8",
        "ffc9a0",
        "8a5a78 1d1626",
        "ff6b35 f7c59f efefd0 2a7f9e 1a4e7a",
        "fdf0e0 22182c",
        False,
    ),
    _palette(
        "night",
        "040714 0a1230 14244f 24406f 3a6288",
        "fdf6dc",
        "5f7fa8",
        "21345c 04060f",
        "ffd166 4cc9f0 7b6cf6 f25f9c 2bd9a8",
        "e9edf5 0a0f20",
        True,
    ),
    _palette(
        "day",
        "2f7fc8 5aa5e0 95cbf0 c9e6f7 eef7fb",
        "fffbe6",
        "e8f2f8",
        "8fb4cf 2a5148",
        "ff7f51 ffcb47 3bb273 2f80c8 7768ae",
        "fbfaf5 1f3342",
        False,
    ),
    _palette(
        "mist",
        "8296a6 a3b3bf c0cbd1 d9dfe0 eceeec",
        "fffaf0",
        "e9eceb",
        "a9b8bf 2f4149",
        "c97b63 dfb98f 8fae9b 5f7f8c 3d4f5c",
        "f3f1ec 2a353b",
        False,
    ),
    _palette(
        "autumn",
        "6a7fa0 a9a9a8 dcb98c f3c27c fbe0ac",
        "fff0c4",
        "f0d2a8",
        "b07a55 36211b",
        "c8442b e8852e f2b840 7f8a3c 5b2e2a",
        "f8efe0 2f1d18",
        False,
    ),
    _palette(
        "winter",
        "5878a8 8ba9cd b9cfe3 dde8f0 f7f7f7",
        "fff6ea",
        "eef3f7",
        "a9bfd6 23354f",
        "d65a5a 8fb8de 5f8fb8 b8a6d9 2f4b6e",
        "f6f8fa 1c2b40",
        False,
    ),
    _palette(
        "spring",
        "6fb3dd 9fd0ea cfe9ee f3f2e2 fff3dc",
        "fffbe0",
        "f6efe6",
        "9fc3a4 2f5a44",
        "ff8fa3 ffc2d1 ffe066 8fd694 5aa9e6",
        "fcf8f0 24463a",
        False,
    ),
    _palette(
        "desert",
        "2f6f9f 7faec0 e3c9a5 f5b984 ffdca8",
        "fff3cf",
        "f3d3a9",
        "cf8a5f 4a1f1c",
        "d9562b f2a65a f7d79a 2f8f8f 7a2f2f",
        "faf0df 3b1a17",
        False,
    ),
    _palette(
        "ocean",
        "0b2d55 155e8a 2f9ac0 7fd0d9 d2f2e8",
        "fff8da",
        "bfe8ea",
        "3f87a6 062238",
        "ff7b54 ffd56b 1fb5a8 1b6ca8 0b3c5d",
        "f2f8f7 07263b",
        False,
    ),
    _palette(
        "forest",
        "4f7f74 86ab94 bccdaa e3e3c3 f6f1d8",
        "fff8d4",
        "dfe7d2",
        "7f9f86 14281f",
        "d98a3d efc95b 86a95a 3f7f5c 23503f",
        "f4f3e6 152a20",
        False,
    ),
    _palette(
        "aurora",
        "02030c 050b1f 08182e 0b2a3c 12434c",
        "aaffd9",
        "3f8a86",
        "12303c 02050a",
        "5cffb0 4fd8e8 7f8cff c77dff ffe6a0",
        "e6f2ef 04101a",
        True,
    ),
    _palette(
        "neon",
        "0a0320 1f0a4a 4a1280 a01a8a ff4f9a",
        "ffd0f4",
        "8a3fb0",
        "43187a 07021a",
        "ff2e88 ffb800 2de2e6 9d4edd 3a86ff",
        "f4ecff 0b0424",
        True,
    ),
    _palette(
        "candy",
        "8fc9f0 b9c9f7 e3c8f2 fbcfe0 ffe9dc",
        "fffaf0",
        "fbe6ee",
        "b9a3d9 5a3f7f",
        "ff6f91 ffc75f f9f871 6fd3c7 845ec2",
        "fff7f5 43305f",
        False,
    ),
    _palette(
        "ember",
        "12060a 37101a 7a1f22 d0482a ffb04a",
        "ffe6a0",
        "b0523f",
        "5a1f24 0c0406",
        "ff4d2e ff9a3d ffd66b a01f3a 3f1426",
        "f7e9dd 1c0a0c",
        True,
    ),
    _palette(
        "vintage",
        "5f7f86 8fa39a c2bfa0 e6cf9f f3e0b8",
        "fff3cf",
        "e0d2b0",
        "9a8f7a 3a302a",
        "b5523b d99b4a e6cf9f 5f8a8a 3a4a5a",
        "f2e8d5 2f2620",
        False,
    ),
    _palette(
        "noir",
        "0c0d10 26282d 54575d 94979b d7d8d6",
        "fafaf4",
        "a9abad",
        "5f6266 08090b",
        "e8e6e0 b0b0ae 7a7b7c c0392b 2a2b2e",
        "f1efe9 111214",
        True,
    ),
)
PALETTES: Final[dict[str, Palette]] = {palette.name: palette for palette in _ALL}

# Folded words (no accents, lower case) in French and English.
MOODS: Final[dict[str, tuple[str, ...]]] = {
    "dusk": ("dusk", "crepuscule", "twilight", "soir", "evening", "violet hour"),
    "dawn": ("dawn", "aube", "aurore matinale", "matin", "morning", "sunrise", "lever de soleil", "lever du soleil"),
    "sunset": ("sunset", "coucher de soleil", "coucher du soleil", "golden hour", "heure doree", "couchant"),
    "night": ("night", "nuit", "nocturne", "midnight", "minuit", "moonlight", "clair de lune", "moon", "lune"),
    "day": ("day", "jour", "noon", "midi", "sunny", "ensoleille", "ensoleillee", "summer", "ete", "bright"),
    "mist": ("mist", "misty", "fog", "foggy", "brume", "brouillard", "brumeux", "brumeuse", "calm", "calme", "zen"),
    "autumn": ("autumn", "fall leaves", "automne", "automnal", "octobre", "october", "november", "novembre"),
    "winter": ("winter", "hiver", "snow", "snowy", "neige", "enneige", "enneigee", "ice", "glace", "frozen"),
    "spring": ("spring", "printemps", "blossom", "cherry blossom", "sakura", "fresh"),
    "desert": ("desert", "sahara", "dune", "sand", "sable", "canyon"),
    "ocean": ("ocean", "underwater", "sous marin", "lagoon", "lagon", "tropical", "turquoise sea"),
    "forest": ("forest", "foret", "jungle", "woods", "bois", "moss", "mousse"),
    "aurora": ("aurora", "aurore boreale", "aurores boreales", "northern lights", "boreal", "boreale"),
    "neon": ("neon", "cyberpunk", "synthwave", "vaporwave", "futuristic", "futuriste", "disco", "electric"),
    "candy": ("candy", "pastel", "kawaii", "cute", "mignon", "mignonne", "sweet", "doux", "douce", "dream", "reve"),
    "ember": ("fire", "feu", "volcano", "volcan", "lava", "lave", "ember", "braise", "flame", "flamme", "dragon"),
    "vintage": ("vintage", "retro", "old", "ancien", "ancienne", "nostalgia", "nostalgie", "sepia", "antique"),
    "noir": ("noir et blanc", "black and white", "monochrome", "film noir", "charcoal", "grayscale"),
}

_SHADES: Final[dict[str, str]] = {
    "d8343a": "red rouge",
    "b3123b": "crimson",
    "e23424": "scarlet",
    "f2802e": "orange",
    "f5c531": "yellow jaune",
    "d9a93a": "gold golden dore doree",
    "3f9d5a": "green vert verte",
    "1f9d74": "emerald emeraude",
    "1f8a8a": "teal",
    "2fb8b0": "turquoise",
    "2cc4e0": "cyan",
    "2f6fd0": "blue bleu bleue",
    "3f8fe0": "azure azur",
    "3f3fa8": "indigo",
    "7d4fd0": "violet violette",
    "8a3fc0": "purple",
    "a884c8": "mauve",
    "a58fe0": "lavender lavande",
    "f07fae": "pink rose",
    "d83fa0": "magenta",
    "8a5a3a": "brown brun brune marron",
    "d9c3a0": "beige",
    "b8734a": "copper cuivre",
    "f4f4f2": "white blanc blanche",
    "1a1a1e": "black noir noire",
    "85888c": "grey gray gris grise",
    "b8bec6": "silver argent",
}
COLOURS: Final[dict[str, str]] = {word: shade for shade, words in _SHADES.items() for word in words.split()}


def tinted(palette: Palette, colours: Sequence[Rgb]) -> Palette:
    """The palette drawn towards one or more colours; the first weighs on the sky, the others on light and accents."""
    if not colours:
        return palette
    first, last = colours[0], colours[-1]
    grey = all(_chroma(colour) < 0.06 for colour in colours)
    share = 0.85 if grey else 0.7

    def towards(colour: Rgb, goal: Rgb, part: float = share) -> Rgb:
        return hue_towards(colour, goal, part)

    lift = 0.06 * (lightness(first) - 0.5) * (2 if grey else 1)
    accents = [
        towards(shift(a, light=lift), colours[i % len(colours)], 0.45 + 0.4 * (i % 2))
        for i, a in enumerate(palette.accents)
    ]
    accents[0] = mix(colours[0], accents[0], 0.15)
    if len(colours) > 1:
        accents[1] = mix(last, accents[1], 0.15)
    return replace(
        palette,
        sky=tuple(towards(c, first if i < len(palette.sky) - 2 else last) for i, c in enumerate(palette.sky)),
        light=towards(palette.light, last, 0.35),
        mist=towards(palette.mist, last, 0.6),
        far=towards(palette.far, first),
        near=towards(palette.near, first, 0.6),
        accents=tuple(accents),
        paper=towards(palette.paper, last, 0.25),
        ink=towards(palette.ink, first, 0.6),
    )


def _chroma(colour: Rgb) -> float:
    return max(colour) - min(colour)
