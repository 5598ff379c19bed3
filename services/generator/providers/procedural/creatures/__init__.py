"""Animals face to face: what tells the species apart, and how a head is drawn from it."""
