"""The four services and the runtime that every process needs."""
