"""Ports of the embedded servers: picked free, remembered in the data folder, moved when taken."""

import socket
import zlib
from collections.abc import Sequence

from sorami.local.errors import StackError
from sorami.local.home import Home, read_json, write_json

# Below the ephemeral range (32768), so that no outgoing connection ever sits on a server's port.
LOWEST, HIGHEST = 11_000, 22_700
GRPC_OFFSET = 10_000
WITH_GRPC = frozenset({"s3", "s3-master", "s3-volume", "s3-filer", "s3-admin"})


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _usable(name: str, port: int, taken: set[int]) -> bool:
    wanted = [port, port + GRPC_OFFSET] if name in WITH_GRPC else [port]
    return all(number not in taken and is_free(number) for number in wanted)


def assign(home: Home, names: Sequence[str]) -> dict[str, int]:
    """A port for each name: the remembered one while it is free, else the next free one."""
    remembered = {name: int(port) for name, port in read_json(home.ports).items()}
    chosen: dict[str, int] = {}
    taken: set[int] = set()
    span = HIGHEST - LOWEST
    # Folders start at different places, so that two stacks starting at once rarely want the same port.
    candidate = LOWEST + zlib.crc32(str(home.root).encode()) % span
    for name in names:
        port = remembered.get(name)
        tries = 0
        while port is None or not _usable(name, port, taken):
            candidate = LOWEST + (candidate + 1 - LOWEST) % span
            port = candidate
            tries += 1
            if tries > span:
                raise StackError("no free port between 11000 and 22700; stop other programs and start again")
        chosen[name] = port
        taken |= {port, port + GRPC_OFFSET} if name in WITH_GRPC else {port}
    if {**remembered, **chosen} != remembered:
        write_json(home.ports, {**remembered, **chosen})
    return chosen
