"""`sorami admin operator-key`: an API key made in the database itself, by whoever may run commands beside the gateway.

So an installation can be operated and tested before anybody can sign in to it.
"""

import argparse
import asyncio
import socket
import sys

from contracts.scopes import OF_OPERATORS, PERSONAL, Scope
from services.gateway.settings import GatewaySettings
from services.gateway.usecases.create_key import MOST_KEYS, NewKey, TooManyKeys, create_key
from services.gateway.usecases.welcome_person import welcome_person
from services.runtime.claims import Principal
from services.runtime.database import service_pool
from services.runtime.identity import Caller
from services.runtime.settings import load_settings
from services.runtime.tokens import TokenRefused

SERVICE = "gateway"
NOBODY = "urn:sorami:operator"
"""The subject of the user that a key belongs to when nobody else is named; no issuer's token can carry it here."""
MOST_DAYS = 3_650


def main(argv: list[str] | None = None) -> int:
    """Make the key; its secret alone goes to stdout. Returns an exit code: 0, 1 when it is refused, 75, 78."""
    options = _options(argv)
    try:
        made = asyncio.run(_make(options))
    except TooManyKeys:
        print(f"{options.subject} has {MOST_KEYS} keys already; revoke one at /api/keys first", file=sys.stderr)
        return 1
    except TokenRefused as refused:
        print(f"no user could be made for {options.subject}: {refused}", file=sys.stderr)
        return 1
    view = made.view
    ends = f"ends {view.expires_at:%Y-%m-%d}" if view.expires_at else "lives until it is revoked"
    print(f"{view.name}: {', '.join(view.scopes)}; {ends}; of {options.subject}", file=sys.stderr)
    print(made.secret)
    return 0


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="sorami admin operator-key", description=__doc__)
    parser.add_argument("--name", default="operator", help="what the key is for")
    parser.add_argument("--days", type=int, default=90, help="how long it lives; 0 is until it is revoked")
    parser.add_argument("--scopes", type=_scopes, default=PERSONAL | {Scope.OPERATE}, help="separated by commas")
    parser.add_argument("--subject", default=NOBODY, help="whose key it is, by the issuer's id; made if unknown")
    parser.add_argument("--email", help="for a user that has to be made, where the database wants an address")
    options = parser.parse_args(argv)
    if not 0 <= options.days <= MOST_DAYS:
        parser.error(f"--days must be 0 to {MOST_DAYS}")
    return options


def _scopes(text: str) -> frozenset[Scope]:
    known = {str(scope): scope for scope in OF_OPERATORS}
    wanted = [part.strip() for part in text.split(",") if part.strip()]
    if not wanted or not set(wanted) <= set(known):
        raise argparse.ArgumentTypeError(f"each must be one of {', '.join(sorted(known))}")
    return frozenset(known[name] for name in wanted)


async def _make(options: argparse.Namespace) -> NewKey:
    settings = load_settings(GatewaySettings, SERVICE)
    async with service_pool(settings, SERVICE) as pool:
        owner = await welcome_person(pool, Principal(options.subject, email=options.email))
        # The audit log names who really did it: whoever may run commands on this machine, or in this pod.
        maker = Caller(owner.user_id, owner.organization_id, operator=True, actor=f"command on {socket.gethostname()}")
        return await create_key(pool, maker, options.name, options.scopes, options.days or None)


if __name__ == "__main__":
    sys.exit(main())
