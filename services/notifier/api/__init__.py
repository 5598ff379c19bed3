"""The notifier's routes: they translate and call one use case."""
