"""The tab Pipelines: gallery, form with its files, export, and pipelines that are opened."""
