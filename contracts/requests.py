"""What a client may ask for: one strict model per kind, made from the kind's data, with a stable code a fault."""

import hashlib
import json
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    create_model,
)

from contracts.faults import RequestRefused, fault, faults_of
from contracts.ids import is_safe_id
from contracts.kinds import DEFAULT_QUALITY, KINDS, QUALITIES, STYLES, Kind
from contracts.webhooks import JOB_TYPES

MAX_PROMPT = 10_000
MAX_URL = 2_048
MOST_PRIORITY = 10
"""How far a client may put a job before or behind its others; the contract itself knows -100 to 100."""
LONGEST_WAIT = 30 * 86_400
"""Seconds: the longest deadline that may be asked for."""
_INVISIBLE = {"Cf", "Cc", "Zs", "Zl", "Zp", "Mn"}


def _readable(field: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            raise fault(f"{field}_not_unicode", f"{field} holds half of a surrogate pair") from None
        if any(unicodedata.category(c) == "Cc" and c not in "\n\r\t" for c in text):
            raise fault(f"{field}_control_character", f"{field} holds a control character; remove it")
        return text

    return check


def _prompt(text: str) -> str:
    text = _readable("prompt")(text)
    if len(text) > MAX_PROMPT:
        raise fault("prompt_too_long", f"prompt has {len(text)} characters; at most {MAX_PROMPT} are allowed")
    if all(unicodedata.category(character) in _INVISIBLE for character in text):
        raise fault("prompt_empty", "prompt is empty; say what should be made")
    return text


def _one_of(field: str, allowed: tuple[str, ...]) -> Callable[[str], str]:
    def check(text: str) -> str:
        if text not in allowed:
            raise fault(f"{field}_unsupported", f"{field} is not supported; choose one of {', '.join(allowed)}")
        return text

    return check


def _normal_format(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    upper = value.upper()
    return "JPEG" if upper == "JPG" else upper


def _job_id(text: str) -> str:
    if not is_safe_id(text):
        raise fault("job_id_invalid", "job_id must be 1 to 64 letters, digits, '_' or '-'")
    return text


def _parent_id(text: str) -> str:
    if not is_safe_id(text):
        raise fault("parent_unknown", "parent_id names no generation of yours")
    return text


def _address(text: str) -> str:
    text = _readable("input_image_url")(text)
    if len(text) > MAX_URL:
        raise fault("url_too_long", f"input_image_url is longer than {MAX_URL} characters")
    if not text.lower().startswith(("http://", "https://", "/media/", "upload:")):
        raise fault(
            "url_scheme",
            "input_image_url must start with https:// or http://, or be upload:<id> or a /media/ address of ours",
        )
    return text


def _webhook_events(value: list[str]) -> list[str]:
    if not value or not set(value) <= set(JOB_TYPES):
        raise fault("event_type_unknown", f"webhook_events must name some of {', '.join(JOB_TYPES)}")
    return sorted(set(value))


class GenerationRequest(BaseModel):
    """What every kind's request has in common; unknown fields are refused by name."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    prompt: Annotated[str, AfterValidator(_prompt)] = Field(
        description="What to make, in any language.", examples=["Un chat mignon avec des lunettes de soleil"]
    )
    job_id: Annotated[str, AfterValidator(_job_id)] | None = Field(
        default=None,
        description="An id of your own; the same one twice is the same job. One is minted when absent.",
    )
    user_id: Annotated[str, Field(max_length=128), AfterValidator(_readable("user_id"))] | None = Field(
        default=None,
        description="Counts only for a key that may act for others; otherwise the token decides.",
    )
    input_image_url: Annotated[str, AfterValidator(_address)] | None = Field(
        default=None,
        description="An image to start from: any public address, `upload:<id>`, or a file of yours (`/media/…`).",
    )
    style: (
        Annotated[str, AfterValidator(_one_of("style", STYLES)), Field(json_schema_extra={"enum": list(STYLES)})] | None
    ) = None
    quality: Annotated[
        str, AfterValidator(_one_of("quality", QUALITIES)), Field(json_schema_extra={"enum": list(QUALITIES)})
    ] = DEFAULT_QUALITY
    model: Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_readable("model"))] | None = Field(
        default=None, description="The model's id; the default of the kind when absent."
    )
    fallback: bool | None = Field(
        default=None,
        description="Whether another model may render when this one's provider fails before anything was charged. "
        "When absent: where no model was named, or the operator allows it.",
    )
    seed: Annotated[int, Field(ge=0, lt=2**32)] | None = Field(
        default=None,
        description="The same prompt, seed, size and style give the same picture where the model can.",
    )
    caption: Annotated[str, Field(max_length=200), AfterValidator(_readable("caption"))] | None = Field(
        default=None, description="A line of text to set into the picture."
    )
    parent_id: Annotated[str, AfterValidator(_parent_id)] | None = Field(
        default=None, description="The generation of yours that this one is an edit of."
    )
    priority: Annotated[int, Field(ge=-MOST_PRIORITY, le=MOST_PRIORITY)] = Field(
        default=0, description="Higher goes first among waiting jobs."
    )
    start_within_seconds: Annotated[int, Field(ge=1, le=LONGEST_WAIT)] | None = Field(
        default=None, description="A job that nobody began by then fails as `timeout`, and nothing is charged."
    )
    finish_within_seconds: Annotated[int, Field(ge=1, le=LONGEST_WAIT)] | None = Field(
        default=None, description="A job that is not done by then is called off and fails as `timeout`."
    )
    webhook_url: Annotated[str, Field(min_length=1, max_length=MAX_URL), AfterValidator(_readable("webhook_url"))] | (
        None
    ) = Field(
        default=None,
        description="Told how this job goes; signed with the secret that /api/webhook-endpoints/jobs/rotate shows.",
    )
    webhook_events: Annotated[list[str], Field(max_length=16), AfterValidator(_webhook_events)] | None = Field(
        default=None, description=f"Some of {', '.join(JOB_TYPES)}; all when left out."
    )


def _request_model(kind: Kind) -> type[GenerationRequest]:
    formats = tuple(kind.formats)
    fields: dict[str, Any] = {
        kind.count_field: (
            Annotated[int, Field(ge=1, le=kind.max_count)],
            Field(default=1, description=f"How many {kind.plural} to make."),
        ),
    }
    if kind.sizes:
        fields["size"] = (
            Annotated[
                str,
                AfterValidator(_one_of("size", kind.sizes)),
                Field(json_schema_extra={"enum": list(kind.sizes)}),
            ],
            Field(default=kind.default_size, description="WIDTHxHEIGHT in pixels."),
        )
    fields["format"] = (
        Annotated[
            str,
            BeforeValidator(_normal_format),
            AfterValidator(_one_of("format", formats)),
            Field(json_schema_extra={"enum": list(formats)}),
        ],
        Field(default=kind.default_format),
    )
    for number in kind.numbers:
        fields[number.name] = (
            Annotated[int if number.whole else float, Field(ge=number.least, le=number.most)],
            Field(
                default=int(number.default) if number.whole else number.default,
                description=f"In {number.unit}.",
            ),
        )
    model: type[GenerationRequest] = create_model(
        f"{kind.title}GenerationRequest",
        __base__=GenerationRequest,
        __doc__=f"A request for {kind.plural}.",
        **fields,
    )
    return model


REQUEST_MODELS: dict[str, type[GenerationRequest]] = {name: _request_model(kind) for name, kind in KINDS.items()}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A valid request in the words that every kind shares."""

    kind: Kind
    prompt: str
    count: int
    size: str
    format: str
    style: str | None
    quality: str
    model: str | None
    input_image_url: str | None
    options: Mapping[str, Any]
    job_id: str | None
    user_id: str | None
    parent_id: str | None = None
    priority: int = 0
    start_within: int | None = None
    """Seconds."""
    finish_within: int | None = None
    """Seconds."""
    webhook_url: str | None = None
    webhook_events: Sequence[str] | None = None
    fallback: bool | None = None

    def digest(self) -> str:
        """Hash what was asked, so that the same id with another body can be told apart."""
        content = [
            self.kind.name,
            self.prompt,
            self.count,
            self.size,
            self.format,
            self.style,
            self.quality,
            self.model,
            self.input_image_url,
            dict(self.options),
        ]
        later = [self.parent_id, self.priority, self.start_within, self.finish_within]
        if later != [None, 0, None, None]:
            # A request without them keeps the hash that it had before there were such fields.
            content.append(later)
        if self.webhook_url is not None:
            content.append({"webhook": [self.webhook_url, self.webhook_events]})
        if self.fallback is not None:
            content.append({"fallback": self.fallback})
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def read_request(kind: Kind, body: Mapping[str, Any]) -> Wanted:
    """Validate a request body of a kind; raises RequestRefused with every fault."""
    try:
        request = REQUEST_MODELS[kind.name].model_validate(body)
    except ValidationError as error:
        raise RequestRefused(
            faults_of(error, f"a request for {kind.plural}", lambda field: _bounds(kind, field))
        ) from None
    given = request.model_dump()
    options = {name: given[name] for name in ("seed", "caption") if given[name] is not None}
    options |= {number.name: given[number.name] for number in kind.numbers}
    return Wanted(
        kind=kind,
        prompt=given["prompt"],
        count=given[kind.count_field],
        size=given.get("size", kind.default_size),
        format=given["format"],
        style=given["style"],
        quality=given["quality"],
        model=given["model"],
        input_image_url=given["input_image_url"],
        options=options,
        job_id=given["job_id"],
        user_id=given["user_id"],
        parent_id=given["parent_id"],
        priority=given["priority"],
        start_within=given["start_within_seconds"],
        finish_within=given["finish_within_seconds"],
        webhook_url=given["webhook_url"],
        webhook_events=given["webhook_events"],
        fallback=given["fallback"],
    )


_BOUNDS = {
    "priority": f"between {-MOST_PRIORITY} and {MOST_PRIORITY}",
    "start_within_seconds": f"between 1 and {LONGEST_WAIT} seconds",
    "finish_within_seconds": f"between 1 and {LONGEST_WAIT} seconds",
}


def _bounds(kind: Kind, field: str) -> str | None:
    if field == kind.count_field:
        return f"between 1 and {kind.max_count}"
    for number in kind.numbers:
        if number.name == field:
            return f"between {number.least:g} and {number.most:g} {number.unit}"
    return _BOUNDS.get(field)
