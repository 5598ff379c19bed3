"""HTTP in, one row and one event out; it never renders and never updates a job."""
