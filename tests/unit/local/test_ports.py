"""Ports of embedded servers: free, remembered, moved when taken."""

import socket
from pathlib import Path

from sorami.local import ports
from sorami.local.home import Home


def home_of(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.make()
    return home


def test_ports_are_below_the_ephemeral_range_and_apart(tmp_path: Path) -> None:
    names = ["postgres", "kafka", "s3", "s3-master", "s3-volume"]
    chosen = ports.assign(home_of(tmp_path), names)
    assert set(chosen) == set(names)
    assert len(set(chosen.values())) == len(names)
    assert all(ports.LOWEST <= port < 32_768 - 10_000 for port in chosen.values())


def test_they_are_remembered(tmp_path: Path) -> None:
    home = home_of(tmp_path)
    first = ports.assign(home, ["postgres", "kafka"])
    assert ports.assign(home, ["kafka", "postgres"]) == first


def test_a_taken_one_is_moved_and_that_is_remembered(tmp_path: Path) -> None:
    home = home_of(tmp_path)
    first = ports.assign(home, ["postgres", "kafka"])
    with socket.socket() as other:
        other.bind(("127.0.0.1", first["kafka"]))
        other.listen()
        second = ports.assign(home, ["postgres", "kafka"])
    assert second["kafka"] != first["kafka"]
    assert second["postgres"] == first["postgres"]
    assert ports.assign(home, ["kafka"]) == {"kafka": second["kafka"]}


def test_a_taken_grpc_port_moves_its_server_too(tmp_path: Path) -> None:
    home = home_of(tmp_path)
    first = ports.assign(home, ["s3"])
    with socket.socket() as other:
        other.bind(("127.0.0.1", first["s3"] + ports.GRPC_OFFSET))
        other.listen()
        assert ports.assign(home, ["s3"]) != first
