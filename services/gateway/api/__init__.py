"""The gateway's routes: they translate and call one use case or one query."""
