"""Programs on disk: what is known of them, running them, timing them, here and on emulated ARM."""
