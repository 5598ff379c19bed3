"""A policy service of the operator's, asked over HTTP; its wire form is in docs/moderation.md."""

import asyncio
import base64
from typing import Any, Final

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.generator.moderation.policy import ALLOWED, Judgement, Picture, PolicyFailed, Question

MOST_BYTES: Final = 8 * 1024 * 1024
"""A picture larger than this is told without its bytes."""
MOST_ANSWER: Final = 64 * 1024


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    allowed: bool
    reasons: list[str] = Field(default=[], max_length=100)
    refused: list[int] | None = Field(default=None, max_length=100)


class HttpPolicy:
    """Asks once for each judgement; whatever is no clear answer is a failure."""

    name = "http"

    def __init__(self, url: str, token: str | None, *, seconds: float) -> None:
        self._url = url
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.AsyncClient(
            headers=headers, timeout=httpx.Timeout(seconds), trust_env=False, follow_redirects=False
        )

    async def judge(self, question: Question) -> Judgement:
        """Return the judgement; raises PolicyFailed."""
        body = await asyncio.to_thread(_body, question)
        try:
            answer = await self._client.post(self._url, json=body)
        except httpx.HTTPError as error:
            raise PolicyFailed(type(error).__name__) from None
        if answer.status_code != 200 or len(answer.content) > MOST_ANSWER:
            raise PolicyFailed(f"it answered {answer.status_code}")
        try:
            said = _Answer.model_validate_json(answer.content)
        except ValidationError:
            raise PolicyFailed("its answer is not of the form that was agreed") from None
        if said.allowed:
            return ALLOWED
        return Judgement(said.reasons or ["refused"], frozenset(said.refused) if said.refused else None)

    async def close(self) -> None:
        """Close connections."""
        await self._client.aclose()


def _body(question: Question) -> dict[str, Any]:
    return {
        "stage": question.stage,
        "job_id": question.job_id,
        "kind": question.kind,
        "model": question.model,
        "user_id": question.user_id,
        "prompt": question.prompt,
        "caption": question.caption,
        "media": [_picture(picture) for picture in question.pictures],
    }


def _picture(picture: Picture) -> dict[str, Any]:
    data = picture.data
    if data is None and picture.path is not None and picture.path.stat().st_size <= MOST_BYTES:
        data = picture.path.read_bytes()
    encoded = base64.b64encode(data).decode() if data is not None and len(data) <= MOST_BYTES else None
    return {
        "index": picture.index,
        "content_type": picture.content_type,
        "data": encoded,
        "description": picture.words,
    }
