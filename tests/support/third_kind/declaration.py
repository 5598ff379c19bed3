"""The declaration: a kind that is neither a picture nor a film, and the model that makes it."""

from contracts.kinds import KINDS, Kind, KindWords, NumberField
from contracts.models import BUILT_IN, Model

SOUND = Kind(
    name="sound",
    plural="sounds",
    title="Sound",
    generations_table="sound_generations",
    files_table="sound_files",
    count_field="num_sounds",
    count_column="numSounds",
    max_count=3,
    sizes=(),
    default_size="0x0",
    formats={"WAV": "audio/wav"},
    default_format="WAV",
    numbers=(
        NumberField("duration_seconds", "durationSeconds", default=1, least=1, most=30, whole=False, unit="seconds"),
    ),
    file_columns={"duration_seconds": "durationSeconds"},
    words={
        "fr": KindWords("sons", "🎵 Sons générés avec succès", "{count} son(s) créé(s)."),
        "en": KindWords("sounds", "🎵 Sounds made", "{count} sound(s) made."),
    },
    orphan_prompt="Son généré depuis le backend",
)
HUM = Model("hum", "hum", ("sound",), seed=True)


def declare() -> None:
    """Add the kind, its model and its default; before anything reads them."""
    KINDS[SOUND.name] = SOUND
    known, orders = dict(BUILT_IN.known), dict(BUILT_IN.orders)
    object.__setattr__(BUILT_IN, "known", {**known, HUM.id: HUM})
    object.__setattr__(BUILT_IN, "orders", {**orders, SOUND.name: (HUM.id,)})
