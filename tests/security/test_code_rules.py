"""What no line of the product may do, read from the code itself (S21, S38, S56, S57)."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = [file for folder in ("contracts", "services", "sorami") for file in (ROOT / folder).rglob("*.py")]

# Who may open connections by HTTP, and to whom: the operator's own servers and providers, or through the guard.
HTTP = {
    "services/gateway/__main__.py": "the notifier, by its setting",
    "services/gateway/usecases/read_shared_media.py": "our own bucket, and strangers through the guard",
    "services/generator/moderation/http_policy.py": "the operator's policy service",
    "services/generator/providers/remote/": "providers, by their settings; media of theirs through the guard",
    "services/notifier/channels/posting.py": "addresses that the sender checked, at each connection",
    "services/runtime/guarded_http.py": "the guard itself",
    "services/runtime/oidc.py": "the issuer of the settings",
    "services/runtime/quick_puts.py": "our own bucket",
    "services/runtime/signed_objects.py": "our own bucket",
    "services/runtime/tokens.py": "the issuer of the settings",
    "sorami/": "the command line and the embedded stack",
}
_CLIENTS = {"AsyncClient", "ClientSession", "Client", "urlopen", "urlretrieve", "AsyncHTTPTransport", "HTTPTransport"}
_SOCKETS = {"create_connection", "open_connection"}
_SECRET = re.compile(r"(secret|signature|token|password)$", re.IGNORECASE)
FORBIDDEN_IMPORTS = {"pickle", "marshal", "shelve", "requests", "telnetlib", "ftplib", "xml.etree", "xml.dom"}


def nodes() -> Iterator[tuple[str, ast.AST]]:
    for file in SOURCES:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            yield file.relative_to(ROOT).as_posix(), node


def called(node: ast.AST) -> str:
    """Return the dotted name of what a call calls."""
    return ast.unparse(node.func) if isinstance(node, ast.Call) else ""


def test_S21_only_named_places_open_connections_by_http() -> None:
    found = {
        path
        for path, node in nodes()
        if called(node).rpartition(".")[2] in _SOCKETS
        or (
            called(node).rpartition(".")[2] in _CLIENTS
            and called(node).partition(".")[0] in ("httpx", "aiohttp", "urllib", "request", *_CLIENTS)
        )
    }
    assert found, "the scan finds none"
    assert [path for path in sorted(found) if not path.startswith(tuple(HTTP))] == []


def test_S20_no_client_takes_a_proxy_from_the_environment() -> None:
    clients = [
        (path, node)
        for path, node in nodes()
        if isinstance(node, ast.Call) and called(node) in ("httpx.AsyncClient", "httpx.Client")
    ]
    trusting = [
        f"{path}:{node.lineno}"
        for path, node in clients
        if path.startswith("services/")
        and not any(word.arg == "trust_env" and ast.unparse(word.value) == "False" for word in node.keywords)
        and not any(word.arg is None for word in node.keywords)
    ]
    assert trusting == []


def test_S38_secrets_are_compared_in_constant_time() -> None:
    guilty = []
    for path, node in nodes():
        if (
            path.startswith("sorami/")
            or not isinstance(node, ast.Compare)
            or not any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops)
        ):
            continue
        sides = [node.left, *node.comparators]
        names = [ast.unparse(side).rpartition(".")[2] for side in sides if isinstance(side, ast.Name | ast.Attribute)]
        constant = any(isinstance(side, ast.Constant) for side in sides)
        if not constant and any(_SECRET.search(name) for name in names):
            guilty.append(f"{path}:{node.lineno} {ast.unparse(node)}")
    assert guilty == []


def test_S56_nothing_is_unpickled_evaluated_or_left_unverified() -> None:
    guilty = []
    for path, node in nodes():
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            guilty += [f"{path}: import {name}" for name in names if name.startswith(tuple(FORBIDDEN_IMPORTS))]
        if isinstance(node, ast.Call):
            name = called(node)
            words = {word.arg: ast.unparse(word.value) for word in node.keywords}
            unsafe = name in ("eval", "exec", "yaml.load", "os.system", "hashlib.md5", "hashlib.sha1")
            if unsafe or words.get("shell") == "True" or words.get("verify") == "False" or words.get("ssl") == "False":
                guilty.append(f"{path}:{node.lineno} {name}")
    assert guilty == []


def test_S56_the_linters_rules_of_security_are_on_for_the_product() -> None:
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["ruff"]["lint"]
    assert "S" in rules["select"]
    assert [rule for rule in rules["ignore"] if rule.startswith("S")] == ["S104"], "what listens is a setting"
    for pattern, ignored in rules["per-file-ignores"].items():
        if pattern.startswith(("services", "contracts")):
            assert "S" not in ignored, pattern


def test_S57_what_runs_in_ci_publishes_nothing() -> None:
    assert not (ROOT / ".github").exists(), "workflows of a host: pin their actions by hash, and say so here"
    steps = (ROOT / ".ci" / "run").read_text("utf-8")
    assert not re.search(r"\b(push|publish|upload|twine|login|docker|token)\b", steps)
