"""What a user installs: the client, the command line and the embedded stack."""
