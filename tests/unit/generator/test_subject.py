"""Reading prompts: French and English words choose the scene and the colours."""

import pytest

from services.generator.providers.procedural.subject import fold, read
from services.generator.providers.procedural.vocabulary import SCENES


@pytest.mark.parametrize(
    ("prompt", "scene"),
    [
        ("Un chat mignon avec des lunettes de soleil", "animals"),
        ("Montagnes dans la brume à l'aube", "mountains"),
        ("Coucher de soleil sur la mer", "sea"),
        ("A city at night, in the rain", "city"),
        ("Ciel étoilé et voie lactée", "night"),
        ("Aurores boréales", "aurora"),
        ("une fougère", "fern"),
        ("Champ de coquelicots", "flowers"),
        ("a stained glass window", "glass"),
        ("agate polie", "stone"),
        ("le vent", "wind"),
        ("portrait d'une femme", "portrait"),
        ("NATURE MORTE aux poires", "still"),
        ("A still life with nothing much", "still"),
        ("Northern lights over a still lake", "aurora"),
        ("carte au trésor", "maps"),
        ("tapis berbère", "weave"),
        ("dunes of the Sahara", "dunes"),
        ("la planète Saturne", "space"),
        ("poissons sous l'eau", "reef"),
        ("forêt en automne", "forest"),
        ("an abstract poster", "shapes"),
        ("mountains at night", "mountains"),
        ("la ville sous la neige", "city"),
        ("une forêt au coucher du soleil", "forest"),
        ("night", "night"),
        ("un village sous la pluie", "village"),
    ],
)
def test_words_choose_the_scene(prompt: str, scene: str) -> None:
    assert read(prompt).scene == scene


def test_accents_and_case_do_not_matter() -> None:
    assert fold("  Forêt ÉTOILÉE, cœur!") == "foret etoilee coeur"


def test_an_unknown_prompt_always_gets_the_same_scene_and_prompts_spread() -> None:
    prompts = [f"zxq{number} wvut" for number in range(60)]
    scenes = [read(prompt).scene for prompt in prompts]
    assert scenes == [read(prompt).scene for prompt in prompts]
    assert len(set(scenes)) > 8


@pytest.mark.parametrize("prompt", ["", "   ", "🎉", "東京の夜", "a" * 4_000, "\x00\n"])
def test_any_text_can_be_read(prompt: str) -> None:
    assert read(prompt).scene in {subject.scene for subject in SCENES}


def test_mood_and_colour_words_choose_the_palette() -> None:
    plain = read("mountains at dusk")
    assert plain.palette.name == "dusk"
    assert plain.spoken
    assert read("mountains at night").palette.name == "night"
    assert read("green mountains at dusk").palette != plain.palette


def test_sunglasses_are_no_sun() -> None:
    assert "sunglasses" in read("Un chat avec des lunettes de soleil").words
