"""Asks a Kafka broker over its own protocol whether it serves, without a client library."""

import asyncio
import struct

API_VERSIONS, METADATA = 18, 3


async def answers(host: str, port: int, within: float = 2.0) -> bool:
    """True when the broker answers ApiVersions and its metadata names at least one broker."""
    try:
        async with asyncio.timeout(within):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                versions = await _ask(reader, writer, API_VERSIONS, 0, b"")
                if struct.unpack_from(">h", versions)[0] != 0:
                    return False
                # Version 1 with an empty list of topics: brokers only.
                metadata = await _ask(reader, writer, METADATA, 1, struct.pack(">i", 0))
                return bool(struct.unpack_from(">i", metadata)[0] > 0)
            finally:
                writer.close()
    except (OSError, TimeoutError, asyncio.IncompleteReadError, struct.error):
        return False


async def _ask(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, key: int, version: int, body: bytes
) -> bytes:
    client = b"sorami"
    request = struct.pack(">hhih", key, version, 1, len(client)) + client + body
    writer.write(struct.pack(">i", len(request)) + request)
    await writer.drain()
    size = struct.unpack(">i", await reader.readexactly(4))[0]
    answer = await reader.readexactly(size)
    return answer[4:]
