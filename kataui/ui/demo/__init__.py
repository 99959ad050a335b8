"""The demo: all that kataui shows, on sample data, and the talk that is given with it."""
