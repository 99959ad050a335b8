"""kataui: pipelines, confidential images and isolation for Kata Containers."""

__version__ = "0.1.0"
