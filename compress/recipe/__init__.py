"""The typed recipe: what a run does, and where each setting comes from."""
