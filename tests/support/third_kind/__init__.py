"""Everything a third kind of media is: one declaration, one migration, one provider. Nothing else knows of it."""
