"""What tests of several levels share: the embedded stack, stand-in processes."""
