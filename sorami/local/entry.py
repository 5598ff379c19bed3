"""Runs one function of ours as a process: `python -m sorami.local.entry services.gateway.__main__:main`."""

import importlib
import json
import sys
from typing import Any


def call(entry: str, arguments: list[Any]) -> int:
    """What `module:function` answers, as an exit code."""
    module, _, name = entry.partition(":")
    answer = getattr(importlib.import_module(module), name)(*arguments)
    return answer if isinstance(answer, int) else 0


if __name__ == "__main__":
    sys.exit(call(sys.argv[1], json.loads(sys.argv[2]) if len(sys.argv) > 2 else []))
