"""What a model costs, as far as it is known: a note for people and budgets, never what a provider bills."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Unit = Literal["medium", "second", "job"]


def _plain(value: Any) -> Any:
    return Decimal(str(value)) if isinstance(value, int | float) and not isinstance(value, bool) else value


class Price(BaseModel):
    """An amount a unit: of each medium, of each second of film, or of each job."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    amount: Annotated[Decimal, BeforeValidator(_plain)] = Field(ge=0, max_digits=12, decimal_places=6)
    unit: Unit = "medium"
    currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$")


def cost_of(price: Price, *, media: int, seconds: float) -> Decimal:
    """Return what a job of so many media, together so many seconds long, is estimated to cost."""
    count = {"medium": Decimal(media), "second": Decimal(str(seconds)), "job": Decimal(1)}[price.unit]
    return price.amount * count


def _price(amount: str, unit: Unit = "medium") -> Price:
    return Price(amount=Decimal(amount), unit=unit)


KNOWN_PRICES: Final[Mapping[str, Price]] = {
    "procedural-1": _price("0"),
    "instant": _price("0"),
    # As their providers listed them in 2026-10, at the usual size; `SORAMI_PRICES` says better.
    "gemini-3.1-flash-image": _price("0.067"),
    "gemini-3-pro-image": _price("0.134"),
    "veo-3.1-generate-preview": _price("0.40", "second"),
    "veo-3.1-fast-generate-preview": _price("0.10", "second"),
    "flux-2-pro": _price("0.03"),
}
