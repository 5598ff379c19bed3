"""The generator: renderers, their child processes, providers."""
