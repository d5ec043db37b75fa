"""Put a saved encoder on a phone: lower it to an ExecuTorch program, prove it on text, bundle it, build the app."""
