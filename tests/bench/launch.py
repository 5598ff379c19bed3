"""Services started with a part taken out, for figures that are about the rest; nothing else bends the product."""

import importlib
from typing import Any


def generator_without_objects() -> int:
    """The generator, whose objects go nowhere: an object store is somebody else's figure."""
    from services.runtime.objects import Objects

    async def put(self: Any, key: str, body: Any, *, content_type: str, sha256: str) -> None:
        """Keep nothing."""

    Objects.put = put  # type: ignore[method-assign]
    return _main()


def generator_that_tells_the_end() -> int:
    """The generator without objects and without progress: a job's only report is its end."""
    from services.generator.usecases.reporter import Reporter

    def progress(self: Any, stage: Any, percent: int) -> None:
        """Tell nothing."""

    Reporter.progress = progress  # type: ignore[method-assign]
    return generator_without_objects()


def _main() -> int:
    code: int = importlib.import_module("services.generator.__main__").main()
    return code
