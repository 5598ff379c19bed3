"""Tells everyone: event streams to browsers and webhooks to subscribers."""
