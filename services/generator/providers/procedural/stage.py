"""The stage: size, palette and chance of one picture; what every scene is given."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from services.generator.providers.procedural.fields import Floats
from services.generator.providers.procedural.palettes import Palette

Frame = Callable[[float], Floats]
"""A scene at a moment between 0 and 1 of the film, as planar colour (3, height, width) in 0..1; 0 is the picture."""

Rng = np.random.Generator


@dataclass(frozen=True, slots=True)
class Stage:
    """What a scene draws with; chance comes by label, so that one detail more does not move the others."""

    width: int
    height: int
    palette: Palette
    key: str
    words: frozenset[str] = field(default_factory=frozenset)
    hand: str = "illustration"
    fine: bool = False
    seconds: float = 0.0
    animal: str = ""

    def at(self, width: int, height: int) -> "Stage":
        """The same stage at another resolution."""
        return replace(self, width=width, height=height)

    def rng(self, label: str) -> Rng:
        """A stream of chance of its own, the same at every size and in every style."""
        digest = hashlib.blake2b(f"{self.key}/{label}".encode(), digest_size=16).digest()
        return np.random.default_rng(int.from_bytes(digest, "big"))

    @property
    def side(self) -> int:
        """The shorter side in pixels."""
        return min(self.width, self.height)

    @property
    def moving(self) -> bool:
        return self.seconds > 0

    @property
    def landscape(self) -> float:
        """Width over height."""
        return self.width / self.height

    def has(self, *words: str) -> bool:
        """Whether the prompt holds one of these (folded) words."""
        return not self.words.isdisjoint(words)

    def asked(self, names: Mapping[str, str]) -> list[str]:
        """The names that have one of their (folded, space-parted) words in the prompt, in the mapping's order."""
        return [name for name, words in names.items() if self.has(*words.split())]

    def turns(self, moment: float, each: float) -> float:
        """An angle that comes round about every `each` seconds and closes with the film, so that it loops."""
        rounds = max(1, round(self.seconds / each)) if self.moving else 1
        return 2 * np.pi * rounds * moment

    def grid(self) -> tuple[Floats, Floats]:
        """Pixel centres: x from 0 to 1 over the width, as a row; y from 0 to 1 over the height, as a column."""
        x = (np.arange(self.width, dtype=np.float32) + 0.5) / self.width
        y = (np.arange(self.height, dtype=np.float32) + 0.5) / self.height
        return x[None], y[:, None]

    def square(self) -> tuple[Floats, Floats]:
        """Pixel centres around the middle, in units of the shorter side."""
        x, y = self.grid()
        return (x - 0.5) * (self.width / self.side), (y - 0.5) * (self.height / self.side)
