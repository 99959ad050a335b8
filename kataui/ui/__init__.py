"""Everything that knows Qt: the window and its screens."""
