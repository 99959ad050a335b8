"""The screens of ``kataui.images``."""
