"""Load by wrk: it makes a request in microseconds, so that what answers is the bottleneck and not what asks."""

import asyncio
import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# Each request is another prompt of the next user; with `keyed` it carries an idempotency key of its own.
SCRIPT = """
local tokens = {{{tokens}}}
local n = 0
local salt = "{salt}"
request = function()
  n = n + 1
  local headers = {{["Content-Type"] = "application/json"}}
  if #tokens > 0 then headers["Authorization"] = "Bearer " .. tokens[n % #tokens + 1] end
  if {keyed} then headers["Idempotency-Key"] = salt .. n end
  return wrk.format("POST", "{path}", headers, '{{"prompt": "Un chat mignon ' .. salt .. n .. '"{fields}}}')
end
done = function(summary, latency, _)
  io.write(string.format(
    '\\nJSON {{"requests": %d, "seconds": %.6f, "refused": %d, "broken": %d, "p50_ms": %.3f, "p99_ms": %.3f}}\\n',
    summary.requests, summary.duration / 1e6, summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
"""


@dataclass(frozen=True)
class Load:
    """What wrk did; `refused` answers were not 2xx or 3xx, `broken` ones never came."""

    requests: int
    seconds: float
    refused: int
    broken: int
    p50_ms: float
    p99_ms: float

    @property
    def accepted(self) -> int:
        return self.requests - self.refused

    @property
    def rate(self) -> float:
        """Accepted requests a second."""
        return self.accepted / self.seconds


def is_there() -> bool:
    return shutil.which("wrk") is not None


async def post(
    url: str,
    path: str,
    *,
    seconds: float,
    connections: int = 64,
    tokens: Sequence[str] = (),
    fields: str = "",
    salt: str = "",
    keyed: bool = False,
) -> Load:
    """POST as fast as the server answers; `fields` is JSON that follows the prompt."""
    text = SCRIPT.format(
        tokens=", ".join(f'"{token}"' for token in tokens),
        salt=salt,
        keyed=str(keyed).lower(),
        path=path,
        fields=fields,
    )
    with tempfile.TemporaryDirectory(prefix="sorami-wrk-") as folder:
        script = Path(folder) / "post.lua"
        script.write_text(text)
        wrk = await asyncio.create_subprocess_exec(
            "wrk",
            "-t1",
            f"-c{connections}",
            f"-d{seconds:.0f}s",
            "--timeout=30s",
            f"-s{script}",
            url,
            stdout=asyncio.subprocess.PIPE,
        )
        said, _ = await wrk.communicate()
    line = next((line for line in said.decode().splitlines() if line.startswith("JSON ")), None)
    if line is None:
        raise RuntimeError(f"wrk said: {said.decode()[-500:]}")
    return Load(**json.loads(line[5:]))
