"""Bad input, and the error each must get."""
