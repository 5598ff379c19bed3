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
        from sorami.commands import app

        code = app(standalone_mode=False)
        return code if isinstance(code, int) else 0
    except StackError as error:
        print(f"sorami: {error}", file=sys.stderr)
        return error.code
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
