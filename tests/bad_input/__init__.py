"""Bad input, row by row, and the error each must get; the ids are the rows' names."""
