"""The scenes: one subject a file, each with `compose(stage) -> Frame`; listed in `subject`."""
