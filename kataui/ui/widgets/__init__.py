"""Parts used by two screens or more.

``text.label`` styled text, ``buttons.Button``, ``card.Card`` and ``card.Chip``, ``page.Page`` a
scrolling page with a header, ``banner.VerdictBanner``, ``findings.FindingList``,
``choice.ChoiceCards`` and ``choice.Segmented``, ``fields`` for forms, ``progress.ProgressPanel``,
``steps.StepList``, ``codebox.CodeBox``, ``drop.DropTarget``, ``facts.Facts`` names with values.
"""
