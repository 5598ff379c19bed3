"""How the rig starts a service: the real one, told to reach each server by the proxy that stands between the two.

This is the only place where a service is bent for a test: its addresses, its clock, and a mutation that takes one
guarantee away so that the judge can be seen failing.
"""

import importlib
import json
import os
import re
import sys
from collections.abc import MutableMapping
from pathlib import Path

PROXIES = "CHAOS_PROXIES"
"""JSON: by service and server, the port of the proxy."""
MUTATION = "CHAOS_MUTATION"
SKEWS = "CHAOS_SKEWS"
"""A folder; a file of a service's name there says how its clock is wrong, as libfaketime reads it."""
FAKETIME = "CHAOS_FAKETIME"
CODES = "CHAOS_CODES"
"""A folder; a file of a service's name there says in which folder the code lies that it runs: another commit's."""
ADDRESSES = {"postgres": "DATABASE_URL", "kafka": "KAFKA_BOOTSTRAP_SERVERS", "s3": "S3_ENDPOINT_URL"}
SECOND = "-2"


def gateway() -> int:
    return _become("gateway")


def persistence() -> int:
    return _become("persistence")


def generator() -> int:
    return _become("generator")


def notifier() -> int:
    return _become("notifier")


def second_gateway() -> int:
    return _become("gateway", SECOND)


def second_persistence() -> int:
    return _become("persistence", SECOND)


def second_generator() -> int:
    return _become("generator", SECOND)


def second_notifier() -> int:
    return _become("notifier", SECOND)


def migrate(arguments: list[str]) -> int:
    _change_code(os.environ, "migrate", "services.persistence.migrate", *arguments)
    from services.persistence.migrate import main

    return main(arguments)


def _become(service: str, which: str = "") -> int:
    environ = os.environ
    _bend_clock(environ, service + which)
    _readdress(environ, service, which)
    _change_code(environ, service + which, f"services.{service}")
    from services.runtime import failpoints

    # The fork server has imported it already, with no folder of this service's.
    importlib.reload(failpoints)
    if mutation := environ.get(MUTATION):
        from tests.chaos import mutations

        mutations.apply(mutation)
    code: int = importlib.import_module(f"services.{service}.__main__").main()
    return code


def _readdress(environ: MutableMapping[str, str], service: str, which: str) -> None:
    for server, port in json.loads(environ[PROXIES])[service].items():
        if server in ADDRESSES:
            name = ADDRESSES[server]
            environ[name] = re.sub(r"127\.0\.0\.1:\d+", f"127.0.0.1:{port}", environ[name])
    environ["SORAMI_FAILPOINTS"] = f"{environ['SORAMI_FAILPOINTS']}/{service}"
    if which:
        for name, port in _second_ports(environ, service).items():
            environ[name] = port


def _second_ports(environ: MutableMapping[str, str], service: str) -> dict[str, str]:
    """Return the settings of a second process of a service that must differ from the first's."""
    own = {"gateway": "SORAMI_PORT"}.get(service, f"SORAMI_{service.upper()}_PORT")
    inside = f"SORAMI_{service.upper()}_INTERNAL_PORT"
    names = {own: f"CHAOS_{service.upper()}_PORT", inside: f"CHAOS_{service.upper()}_INTERNAL_PORT"}
    return {name: environ[second] for name, second in names.items() if second in environ}


def _bend_clock(environ: MutableMapping[str, str], name: str) -> None:
    """Start again under libfaketime when this service's clock is to be wrong; the process stays the same."""
    skew = Path(environ[SKEWS]) / name
    if not skew.exists() or "FAKETIME" in environ:
        return
    environ["FAKETIME"] = skew.read_text().strip()
    environ["LD_PRELOAD"] = environ[FAKETIME]
    # Waiting goes by the real clock; only what the time of day is, is wrong.
    environ["FAKETIME_DONT_FAKE_MONOTONIC"] = "1"
    service, _, second = name.partition(SECOND[0])
    entry = f"tests.chaos.launch:{'second_' if second else ''}{service}"
    os.execve(sys.executable, [sys.executable, "-m", "sorami.local.entry", entry], dict(environ))


def _change_code(environ: MutableMapping[str, str], name: str, module: str, *arguments: str) -> None:
    """Start again from another folder's code when this part is to run it; the process stays the same."""
    code = Path(environ[CODES]) / name
    if code.exists():
        environ["PYTHONPATH"] = code.read_text()
        os.chdir(environ["PYTHONPATH"])
        os.execve(sys.executable, [sys.executable, "-m", module, *arguments], dict(environ))
