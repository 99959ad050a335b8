"""The screens of isolation; loaded when the tab is first shown, for they need numpy."""
