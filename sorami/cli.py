"""The command `sorami`. What a command needs is imported when it runs: `sorami run` starts servers at once."""

import sys
import time

BEGAN = time.monotonic()
INTERRUPTED = 130


def main() -> int:
    """The console script; answers the exit code."""
    from sorami.local.errors import StackError

    try:
        if sys.argv[1:] == ["run"]:
            from sorami.local.foreground import run

            return run(began=BEGAN)
        return _command()
    except StackError as error:
        print(f"sorami: {error}", file=sys.stderr)
        return error.code
    except KeyboardInterrupt:
        return INTERRUPTED


def _command() -> int:
    from typer.exceptions import TyperException

    from sorami.commands import app

    try:
        code = app(standalone_mode=False)
    except TyperException as error:
        print(f"sorami: {error.format_message()} Every command explains itself: sorami --help", file=sys.stderr)
        return error.exit_code
    return code if isinstance(code, int) else 0


if __name__ == "__main__":
    sys.exit(main())
