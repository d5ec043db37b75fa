"""An encoder's units (heads, neurons, layers, words): which of them stay."""
