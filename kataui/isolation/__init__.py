"""Isolation: who hurts whom on a Kata host, with evidence, and which setting changes it."""
