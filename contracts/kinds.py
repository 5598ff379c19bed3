"""What a kind of media is, as data: its names, tables, limits and files. A new kind is one more declaration here."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class NumberField:
    """A number a request of this kind may carry, with its column and its bounds (both included)."""

    name: str
    column: str
    default: float
    least: float
    most: float
    whole: bool
    unit: str


@dataclass(frozen=True, slots=True)
class KindWords:
    """How a language speaks of a kind: what is being made, and what a notification says of `{count}` that were made."""

    things: str
    completed_title: str
    completed_message: str


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of media. `plural` is its path segment, object folder and payload list; `words` are by language.

    A kind that is no picture has no `sizes`: nobody asks for one, and its rows say `default_size`.
    """

    name: str
    plural: str
    title: str
    generations_table: str
    files_table: str
    count_field: str
    count_column: str
    max_count: int
    sizes: tuple[str, ...]
    default_size: str
    formats: Mapping[str, str]
    default_format: str
    numbers: tuple[NumberField, ...] = ()
    file_columns: Mapping[str, str] = field(default_factory=dict)
    most_bytes: int = 64 * 1024 * 1024
    words: Mapping[str, KindWords] = field(default_factory=dict)
    orphan_prompt: str = ""
    """The prompt of what a backend made without being asked and without saying what for."""

    @property
    def completed_type(self) -> str:
        return f"{self.name.upper()}_COMPLETED"

    @property
    def failed_type(self) -> str:
        return f"{self.name.upper()}_FAILED"


IMAGE = Kind(
    name="image",
    plural="images",
    title="Image",
    generations_table="image_generations",
    files_table="image_files",
    count_field="num_images",
    count_column="numImages",
    max_count=4,
    sizes=(
        "256x256",
        "512x512",
        "768x768",
        "1024x1024",
        "1280x720",
        "720x1280",
        "1536x1024",
        "1024x1536",
        "1792x1024",
        "1024x1792",
        "1920x1080",
        "1080x1920",
        "2048x2048",
    ),
    default_size="1024x1024",
    formats={"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "AVIF": "image/avif"},
    default_format="PNG",
    words={
        "fr": KindWords("images", "🎨 Images générées avec succès", "{count} image(s) créée(s)."),
        "en": KindWords("images", "🎨 Images made", "{count} image(s) made."),
    },
    orphan_prompt="Image générée depuis le backend",
)

VIDEO = Kind(
    name="video",
    plural="videos",
    title="Video",
    generations_table="video_generations",
    files_table="video_files",
    count_field="num_videos",
    count_column="numVideos",
    max_count=2,
    sizes=("640x360", "854x480", "1280x720", "720x1280", "1920x1080", "1080x1920", "1024x1024"),
    default_size="1280x720",
    formats={"MP4": "video/mp4"},
    default_format="MP4",
    numbers=(
        NumberField("duration_seconds", "durationSeconds", default=4, least=1, most=60, whole=False, unit="seconds"),
        NumberField("fps", "fps", default=24, least=1, most=60, whole=True, unit="frames per second"),
    ),
    file_columns={"duration_seconds": "durationSeconds", "fps": "fps", "thumbnail_url": "thumbnailUrl"},
    most_bytes=1024**3,
    words={
        "fr": KindWords("vidéos", "🎬 Vidéos générées avec succès", "{count} vidéo(s) créée(s)."),
        "en": KindWords("videos", "🎬 Videos made", "{count} video(s) made."),
    },
    orphan_prompt="Vidéo générée depuis le backend",
)

KINDS: dict[str, Kind] = {kind.name: kind for kind in (IMAGE, VIDEO)}

STYLES = (
    "illustration",
    "photo",
    "photorealistic",
    "ink",
    "paper",
    "neon",
    "watercolor",
    "anime",
    "3d",
    "sketch",
)
QUALITIES = ("draft", "standard", "high")
DEFAULT_QUALITY = "standard"


def parse_size(size: str) -> tuple[int, int]:
    """Read `WIDTHxHEIGHT` in pixels; raises ValueError for any other text."""
    width, separator, height = size.partition("x")
    if not separator or not (width.isascii() and width.isdigit() and height.isascii() and height.isdigit()):
        raise ValueError(f"not a size: {size[:24]!r}")
    return int(width), int(height)
