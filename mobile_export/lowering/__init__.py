"""A saved encoder becomes an ExecuTorch program."""
