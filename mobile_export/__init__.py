"""Put a saved encoder on a phone: lower it to an ExecuTorch program, prove it on real text, bundle it, build the app."""
