"""Encoders: loading them, and knowing their parts by name."""
