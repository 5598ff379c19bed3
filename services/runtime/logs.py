"""Logs: one JSON line a record on standard output, or a readable line on a terminal; bound to a service."""

import logging
import sys
import time
from collections.abc import Callable
from typing import Any

import structlog

from services.runtime.tracing import name_trace

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


MOST_HEARD = 1_000
QUIET_SECONDS = 10.0
"""How long a library that says the same again and again is not heard: a broker that is away is told so ten times a
second by every connection, which would fill a disk."""


class Repeats(logging.Filter):
    """Lets the first of equal messages pass, then one every QUIET_SECONDS that says how many were left out."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._heard: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a record is written."""
        # By the words before their values are filled in: only these are few.
        said = (record.name, str(record.msg)[:200])
        now = self._clock()
        last, left_out = self._heard.get(said, (-QUIET_SECONDS, 0))
        if now - last < QUIET_SECONDS:
            self._heard[said] = (last, left_out + 1)
            return False
        if len(self._heard) > MOST_HEARD:
            self._heard.clear()
        self._heard[said] = (now, 0)
        if left_out:
            record.msg = f"{record.getMessage()} ({left_out} more like this)"
            record.args = ()
        return True


def configure_logs(service: str, *, level: str, pretty: bool) -> structlog.stdlib.BoundLogger:
    """Set up logging of this process and return the service's logger."""
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty())
        if pretty
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    shared: list[Any] = [
        name_trace,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
        )
    )
    handler.addFilter(Repeats())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(_LEVELS[level])
    # These two tell every reconnect at INFO and print whole records, prompts included, at DEBUG.
    for noisy in ("aiokafka", "botocore", "httpx", "asyncio", "faststream"):
        logging.getLogger(noisy).setLevel(max(_LEVELS[level], logging.WARNING))
    logger: structlog.stdlib.BoundLogger = structlog.get_logger().bind(service=service)
    return logger


def get_logger(**values: Any) -> structlog.stdlib.BoundLogger:
    """Return a logger; safe at import because it is bound to the configuration at first use."""
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(**values)
    return logger
