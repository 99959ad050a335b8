"""Dates as people say them."""

import datetime as dt

_DAY_S = 86400


_STEPS = ((90, 0, "just now"), (5400, 60, "{} minutes ago"), (_DAY_S, 3600, "{} hours ago"))


def when_text(moment: str, now: dt.datetime | None = None) -> str:
    """An ISO 8601 moment as "2 minutes ago" or "18 November"; empty when it is none."""
    try:
        then = dt.datetime.fromisoformat(moment)
    except ValueError:
        return ""
    if then.tzinfo is None:
        return ""
    today = now or dt.datetime.now(dt.UTC)
    past_s = (today - then).total_seconds()
    for limit_s, unit_s, text in _STEPS:
        if past_s < limit_s:
            return text.format(round(past_s / unit_s) if unit_s else "")
    if past_s < 2 * _DAY_S:
        return "yesterday"
    return f"{then.day} {then:%B}" if then.year == today.year else f"{then.day} {then:%B %Y}"


def moment_text(moment: str) -> str:
    """An ISO 8601 moment as "24 November 2025, 16:00 UTC"; as it is when it is none."""
    try:
        then = dt.datetime.fromisoformat(moment)
    except ValueError:
        return moment
    if then.tzinfo is None:
        return moment
    then = then.astimezone(dt.UTC)
    return f"{then.day} {then:%B %Y, %H:%M} UTC"
