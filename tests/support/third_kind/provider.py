"""The provider: a hum of the length that was asked for; "slowly" in the prompt takes for ever, "never" fails."""

import asyncio
import io
import math
import struct
import wave

from contracts.failures import Failure, FailureCode
from services.generator.providers.base import Medium, OnProgress, Order, ProviderFailed, Rendered

RATE = 8_000


class HumProvider:
    """Renders WAV files in this process."""

    name = "hum"

    async def render(self, order: Order, on_progress: OnProgress) -> Rendered:
        """Render the order."""
        if "never" in order.prompt:
            raise ProviderFailed(Failure.of(FailureCode.INVALID_INPUT, "this cannot be hummed"))
        if "slowly" in order.prompt:
            on_progress(0.5)
            await asyncio.Event().wait()
        seconds = order.duration_seconds or 1.0
        media = [
            Medium(
                index,
                "WAV",
                "audio/wav",
                None,
                None,
                data=hum(220 * index, seconds),
                description=order.prompt,
                duration_seconds=seconds,
            )
            for index in range(1, order.count + 1)
        ]
        return Rendered(media, {"model_name": "hum", "version": "1.0"})

    async def close(self) -> None:
        """Nothing is held."""


def hum(hertz: float, seconds: float) -> bytes:
    """A sine as a WAV file."""
    frames = (int(8_000 * math.sin(2 * math.pi * hertz * n / RATE)) for n in range(int(RATE * seconds)))
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(b"".join(struct.pack("<h", frame) for frame in frames))
    return buffer.getvalue()
