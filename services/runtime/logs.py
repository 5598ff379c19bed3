"""Logs: one JSON line a record on standard output, or a readable line on a terminal; bound to a service."""

import logging
import sys
from typing import Any

import structlog

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure_logs(service: str, *, level: str, pretty: bool) -> structlog.stdlib.BoundLogger:
    """Set up logging of this process and return the service's logger."""
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty())
        if pretty
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
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
