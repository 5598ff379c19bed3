"""Asks a service of this machine whether it is ready."""

import asyncio


async def is_ready(port: int, path: str, host: str, within: float = 3.0) -> bool:
    """True on a 200; a service that does not listen yet, or says why it is not ready, is not."""
    try:
        async with asyncio.timeout(within):
            reader, writer = await asyncio.open_connection(host.strip("[]"), port)
            try:
                writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
                words = (await reader.readline()).split()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False
    return len(words) > 1 and words[1] == b"200"
