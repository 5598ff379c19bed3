"""How large a film is drawn before it is enlarged, so that four seconds at 720p take about four seconds of one core."""

import math
from typing import Final

from services.generator.providers.procedural import hands

# Milliseconds a frame at 1280x720, measured on one core of a 2024 server.
FRAME_MS: Final = 25.0
SCENE_MS: Final = {
    "animals": 46,
    "aurora": 40,
    "city": 27,
    "fern": 33,
    "flowers": 70,
    "forest": 17,
    "night": 23,
    "portrait": 38,
    "reef": 42,
    "sea": 15,
    "shapes": 23,
    "space": 36,
    "still": 56,
    "stone": 34,
}
HAND_MS: Final = {"illustration": 1, "photo": 12, "paper": 42, "watercolor": 40}
USUAL_SCENE_MS: Final = 13
USUAL_HAND_MS: Final = 28
SMALLEST: Final = 0.5


def film_scale(scene: str, style: str | None) -> float:
    """The part of its width and height at which a film of this scene in this style is drawn."""
    cost = SCENE_MS.get(scene, USUAL_SCENE_MS) + HAND_MS.get(hands.named(style), USUAL_HAND_MS)
    return min(1.0, max(SMALLEST, math.sqrt(FRAME_MS / cost)))
