"""Explains an unhealthy installation: each finding is ok, worth a look, or bad, with what to do."""
