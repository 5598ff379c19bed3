"""Every statement persistence writes with, by subject; it is the only writer that moves a job."""
