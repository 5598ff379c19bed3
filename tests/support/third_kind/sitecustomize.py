"""Python imports this at its start where this folder leads PYTHONPATH: as if the kind stood in contracts/kinds.py."""

from tests.support.third_kind.declaration import declare

declare()
