"""Putting a pipeline that somebody has on Kata, change by change, keeping every other byte."""
