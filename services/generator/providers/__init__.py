"""Who renders: one provider a file, all with the same small protocol (`base.Provider`)."""
