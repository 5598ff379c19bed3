"""Every statement the generator writes with, by subject."""
