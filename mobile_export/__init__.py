"""Put a saved encoder on a phone: lower it to an ExecuTorch program, prove that program on real text, bundle it, build the app."""
