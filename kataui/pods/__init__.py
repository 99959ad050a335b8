"""What a pod will run: audit, lock, compare."""
