"""Container images: open, inspect, encrypt, sign, verify, protect, build."""
