"""What this installation does not want made: a policy before the provider and one after it."""
