"""Rules of the gateway that need nothing but themselves."""
