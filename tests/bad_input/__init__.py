"""Bad input, row by row, against a running gateway; the ids are the rows' names."""
