"""Kafka's jars: locked by hash, fetched once, refused when they differ."""

import hashlib
import http.server
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sorami.local import kafka_jars
from sorami.local.errors import SettingError, StackError

CONTENT = {"one": b"first jar" * 1_000, "two": b"second jar" * 1_000}


@pytest.fixture(autouse=True)
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    lines = ["# a comment"]
    for name, content in CONTENT.items():
        lines.append(f"org.example:{name}:1.0 sha256:{hashlib.sha256(content).hexdigest()} {len(content)}")
    path = tmp_path / "kafka.lock"
    path.write_text("\n".join(lines))
    monkeypatch.setattr(kafka_jars, "LOCK", path)
    return path


class Registry(http.server.BaseHTTPRequestHandler):
    """A Maven repository of two jars; `broken` counts answers that fail first."""

    asked: list[str]
    broken: int
    content: dict[str, bytes]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        name = self.path.split("/")[-3]
        if type(self).broken > 0:
            type(self).broken -= 1
            self.send_error(503)
            return
        self.send_response(200)
        self.send_header("content-length", str(len(self.content[name])))
        self.end_headers()
        self.wfile.write(self.content[name])

    def log_message(self, format: str, *args: object) -> None:
        return None


@pytest.fixture
def registry() -> Iterator[type[Registry]]:
    handler = type("Handler", (Registry,), {"asked": [], "broken": 0, "content": dict(CONTENT)})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    handler.url = f"http://127.0.0.1:{server.server_port}"  # type: ignore[attr-defined]
    yield handler
    server.shutdown()
    server.server_close()
    thread.join()


def settings(tmp_path: Path, registry: type[Registry]) -> dict[str, str]:
    url: str = registry.url  # type: ignore[attr-defined]
    return {"XDG_CACHE_HOME": str(tmp_path / "cache"), "SORAMI_MAVEN_MIRROR": url}


async def test_they_are_fetched_once_with_progress(tmp_path: Path, registry: type[Registry]) -> None:
    seen: list[tuple[int, int]] = []
    files = await kafka_jars.ready(settings(tmp_path, registry), lambda done, total: seen.append((done, total)))
    assert [file.read_bytes() for file in files] == list(CONTENT.values())
    assert seen[0][0] == 0
    assert seen[-1] == (19_000, 19_000)
    assert sorted(registry.asked) == ["/org/example/one/1.0/one-1.0.jar", "/org/example/two/1.0/two-1.0.jar"]
    await kafka_jars.ready(settings(tmp_path, registry))
    assert len(registry.asked) == 2


async def test_a_jar_with_another_hash_is_refused(tmp_path: Path, registry: type[Registry]) -> None:
    registry.content["two"] = b"x" * len(CONTENT["two"])
    with pytest.raises(StackError, match=r"two-1.0.jar .* refused"):
        await kafka_jars.ready(settings(tmp_path, registry))
    assert not list((tmp_path / "cache").rglob("two*"))


async def test_a_jar_that_changed_on_disk_is_fetched_anew(tmp_path: Path, registry: type[Registry]) -> None:
    first, _ = await kafka_jars.ready(settings(tmp_path, registry))
    first.write_bytes(b"x" * len(CONTENT["one"]))
    again, _ = await kafka_jars.ready(settings(tmp_path, registry))
    assert again.read_bytes() == CONTENT["one"]


async def test_a_registry_that_stumbles_is_asked_again(tmp_path: Path, registry: type[Registry]) -> None:
    registry.broken = 1
    assert len(await kafka_jars.ready(settings(tmp_path, registry))) == 2


async def test_without_a_network_the_ways_out_are_named(tmp_path: Path) -> None:
    nowhere = {"XDG_CACHE_HOME": str(tmp_path), "SORAMI_MAVEN_MIRROR": "http://127.0.0.1:9"}
    with pytest.raises(StackError, match=r"SORAMI_MAVEN_MIRROR.*SORAMI_KAFKA_JARS"):
        await kafka_jars.ready(nowhere)


async def test_an_offline_folder_is_used_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "offline"
    folder.mkdir()
    for name, content in CONTENT.items():
        (folder / f"{name}-1.0.jar").write_bytes(content)
    files = await kafka_jars.ready({"SORAMI_KAFKA_JARS": str(folder)})
    assert [file.parent for file in files] == [folder, folder]


async def test_an_incomplete_offline_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "one-1.0.jar").write_bytes(CONTENT["one"])
    with pytest.raises(SettingError, match=r"1 of 2 jars are missing .*two-1\.0\.jar"):
        await kafka_jars.ready({"SORAMI_KAFKA_JARS": str(tmp_path)})


def test_the_committed_lock_holds_the_broker_and_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    committed = Path(kafka_jars.__file__).with_name("kafka.lock")
    monkeypatch.setattr(kafka_jars, "LOCK", committed)
    jars = {jar.artifact: jar for jar in kafka_jars.locked()}
    assert len(jars) == 47
    assert jars["kafka_2.13"].version == jars["kafka-clients"].version == jars["kafka-tools"].version == "4.3.1"
    assert jars["log4j-slf4j-impl"].version == "2.25.4"
    assert "://" not in committed.read_text()
    assert os.linesep in committed.read_text()
