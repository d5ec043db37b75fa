"""Tasks: reading and checking files, splits, tokenizing, and the bundled task `phone_commands`."""
