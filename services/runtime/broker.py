"""How this process reaches Kafka: connection options once, for the producer, the consumers and the admin client."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

from aiokafka.errors import KafkaError
from aiokafka.helpers import create_ssl_context

from services.runtime.logs import get_logger
from services.runtime.settings import RuntimeSettings

_log = get_logger(part="broker")


def connection_options(settings: RuntimeSettings) -> dict[str, Any]:
    """Return aiokafka's connection options for these settings."""
    options: dict[str, Any] = {
        "bootstrap_servers": list(settings.kafka_bootstrap_servers),
        "security_protocol": settings.kafka_security_protocol,
    }
    if settings.kafka_security_protocol.endswith("SSL"):
        options["ssl_context"] = _ssl_context(settings)
    if settings.kafka_security_protocol.startswith("SASL"):
        password = settings.kafka_sasl_password
        options |= {
            "sasl_mechanism": settings.kafka_sasl_mechanism or "PLAIN",
            "sasl_plain_username": settings.kafka_sasl_username,
            "sasl_plain_password": password.get_secret_value() if password else None,
        }
    return options


def _ssl_context(settings: RuntimeSettings) -> ssl.SSLContext:
    context: ssl.SSLContext = create_ssl_context(
        cafile=settings.kafka_ssl_cafile, certfile=settings.kafka_ssl_certfile, keyfile=settings.kafka_ssl_keyfile
    )
    return context


async def until_reachable(
    start: Callable[[], Awaitable[None]], *, what: str, first_pause: float = 0.1, longest_pause: float = 2.0
) -> None:
    """Call `start` until Kafka answers, pausing longer each time; only Kafka's absence is waited for."""
    pause = first_pause
    while True:
        try:
            await start()
        except (KafkaError, OSError, TimeoutError) as error:
            _log.warning("kafka is not reachable yet", what=what, error=type(error).__name__)
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, longest_pause)
        else:
            return
