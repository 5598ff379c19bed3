"""The command that creates every declared topic."""

import sys

from contracts.topics import all_topics
from services.runtime.topic_admin import run


def main() -> int:
    """Create the topics against the broker of the environment and return an exit code."""
    return run(all_topics())


if __name__ == "__main__":
    sys.exit(main())
