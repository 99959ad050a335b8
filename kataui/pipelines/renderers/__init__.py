"""One module a template: ``render(answered)`` builds objects from answers that have no problem."""
