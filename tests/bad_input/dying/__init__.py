"""Renderers that end their child, as a decoder with a fault would."""
