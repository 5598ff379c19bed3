"""How people and programs are told: one channel a file."""
