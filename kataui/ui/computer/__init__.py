"""The page about this computer."""
