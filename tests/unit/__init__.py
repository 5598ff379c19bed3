"""Tests of pure functions and single parts, no stack."""
