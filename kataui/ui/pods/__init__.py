"""Pods in the window: what runs, and whether it is what was locked."""
