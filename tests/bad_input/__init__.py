"""Bad input, row by row, against the running product."""
