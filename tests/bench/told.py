"""Benches that print sentences, run as commands: their numbers are found by the words around them."""

import asyncio
import re
import sys

from tests.bench.seeds import SOURCES


async def told(module: str, *arguments: str) -> str:
    """Run a bench and return what it said; what it says is shown as well."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"tests.bench.{module}", *arguments, cwd=SOURCES, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"tests.bench.{module} ended with {process.returncode}")
    text = said.decode()
    print("".join(f"  {line}\n" for line in text.splitlines()), end="", flush=True)
    return text


def find(text: str, pattern: str) -> list[float]:
    """Return the number of every place where the pattern's first group stands; raises when it stands nowhere."""
    found = [float(number) for number in re.findall(pattern, text)]
    if not found:
        raise ValueError(f"nothing was said like {pattern}")
    return found
