"""One process: run its parts until a signal, then stop them in order; a part that dies ends the process."""

import asyncio
import gc
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from importlib.metadata import version

import uvloop

from services.runtime.logs import get_logger
from services.runtime.settings import EXIT_UNAVAILABLE, EXIT_WRONG_SETTING
from services.runtime.tracing import start_tracing

_log = get_logger(part="process")

Part = Callable[[], Awaitable[None]]
GRACE_SECONDS = 20.0
"""For a stop, where a service says nothing else."""


async def run_until_signal(parts: Sequence[Part], stop: Sequence[Part], *, grace: float = GRACE_SECONDS) -> int:
    """Run the parts side by side; on SIGTERM or SIGINT call `stop` one after the other within `grace` seconds."""
    loop = asyncio.get_running_loop()
    asked = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked.set)
    tasks = [asyncio.ensure_future(part()) for part in parts]
    waiter = asyncio.create_task(asked.wait())
    exit_code = 0
    pending: set[asyncio.Future[None] | asyncio.Task[bool]] = {waiter, *tasks}
    while not asked.is_set():
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        failed = [task for task in done if task is not waiter and task.exception() is not None]
        if failed:
            _log.error("a part of this process died", exc_info=failed[0].exception())
            exit_code = 1
            break
        if not pending - {waiter}:
            await waiter
    await _stop(stop, grace)
    for task in [*tasks, waiter]:
        task.cancel()
    await asyncio.gather(*tasks, waiter, return_exceptions=True)
    return exit_code


async def _stop(stop: Sequence[Part], grace: float) -> None:
    try:
        async with asyncio.timeout(grace):
            for part in stop:
                try:
                    await part()
                except Exception:
                    _log.exception("a part did not stop cleanly")
    except TimeoutError:
        _log.warning("the stop took longer than the grace period", seconds=grace)


async def until_available(what: str, attempt: Callable[[], Awaitable[None]], *, patience: float = 60.0) -> None:
    """Try until something the start needs is there; exits with 75 after `patience` seconds."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience
    while True:
        try:
            return await attempt()
        except (OSError, TimeoutError) as error:
            if loop.time() > deadline:
                _log.error("not available in time", what=what, error=type(error).__name__)
                raise SystemExit(EXIT_UNAVAILABLE) from None
        await asyncio.sleep(0.2)


def run(main: Callable[[], Awaitable[int]], service: str) -> int:
    """Run a service's main coroutine, traced where the environment says so, and return its exit code."""
    try:
        end_tracing = start_tracing(service, version("sorami"))
    except ImportError:
        print(f"config error: OTEL_EXPORTER_OTLP_ENDPOINT: {service} needs the extra `telemetry`", file=sys.stderr)
        return EXIT_WRONG_SETTING
    # What is loaded by now lives as long as the process: keeping it out of collections shares its pages after a fork.
    gc.freeze()
    # A batch makes thousands of rows and forgets them: looking for cycles after every 700 took 8 % of a generator.
    gc.set_threshold(20_000, 20, 20)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_as_coroutine(main))
    finally:
        end_tracing()


async def _as_coroutine(main: Callable[[], Awaitable[int]]) -> int:
    return await main()
