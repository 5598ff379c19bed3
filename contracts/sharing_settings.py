"""What the environment says of shares, for whoever hands out turns and whoever tells when one comes."""

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field
from pydantic_settings import NoDecode

from contracts.sharing import Shares, read_caps, read_weights


def _listed(read: Callable[[list[str]], dict[str, Any]]) -> BeforeValidator:
    def parse(value: Any) -> Any:
        return read([part.strip() for part in value.split(",") if part.strip()]) if isinstance(value, str) else value

    return BeforeValidator(parse)


class SharingFields(BaseModel):
    """How those who wait share what works."""

    weights: Annotated[dict[str, float], NoDecode, _listed(read_weights)] = Field(
        default={},
        validation_alias="SORAMI_WEIGHTS",
        description="Turns for one of others: organization:<id>=4,user:<id>=0.5; ids as GET /api/me says them.",
    )
    caps: Annotated[dict[str, int], NoDecode, _listed(read_caps)] = Field(
        default={},
        validation_alias="SORAMI_CAPS",
        description="Most jobs under way, over all processes: provider:veo=10,model:<id>=4,organization=50,user=8.",
    )

    @property
    def shares(self) -> Shares:
        return Shares(self.weights, self.caps)
