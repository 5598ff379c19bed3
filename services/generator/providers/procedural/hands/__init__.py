"""The hands: how a style changes a finished scene; a style nobody knows draws as an illustration."""

from collections.abc import Callable
from typing import Final

from services.generator.providers.procedural.hands import bright, dry, plain, wet
from services.generator.providers.procedural.hands.plain import Hand
from services.generator.providers.procedural.stage import Stage
from services.generator.providers.procedural.subject import fold

DEFAULT: Final = "illustration"

HANDS: Final[dict[str, Callable[[Stage], Hand]]] = {
    "illustration": plain.illustration,
    "photo": plain.photo,
    "3d": plain.relief,
    "ink": wet.ink,
    "watercolor": wet.watercolor,
    "oil": wet.oil,
    "sketch": dry.sketch,
    "paper": dry.paper,
    "neon": bright.neon,
    "anime": bright.anime,
}

# Films are drawn at this part of their size and enlarged: the softer the hand, the smaller.
FILM_SCALE: Final[dict[str, float]] = {"ink": 0.5, "watercolor": 0.5, "oil": 0.5, "3d": 0.55, "paper": 0.6}

_ALSO: Final[dict[str, str]] = {
    "photo": "photo photorealistic photorealiste realistic realiste realism photographic photographie photography "
    "cinematic cinema analog film",
    "3d": "3d render rendering cgi clay relief isometric",
    "ink": "ink encre lavis sumi calligraphy manga noir woodcut gravure",
    "watercolor": "watercolor watercolour aquarelle gouache wash",
    "oil": "oil huile painting peinture impressionist impressionniste impressionism acrylic acrylique gogh monet",
    "sketch": "sketch croquis pencil crayon drawing dessin charcoal fusain line",
    "paper": "paper papier papercut collage origami cutout craft",
    "neon": "neon cyberpunk synthwave vaporwave glow",
    "anime": "anime cartoon comic bd ghibli cel kawaii pop",
}
_NAMES: Final = {word: name for name, words in _ALSO.items() for word in words.split()}


def named(style: str | None) -> str:
    """The hand a style's name calls: 'Photorealistic', 'digital-art', 'aquarelle' …"""
    for word in fold(style or "").split():
        if word in _NAMES:
            return _NAMES[word]
    return DEFAULT
