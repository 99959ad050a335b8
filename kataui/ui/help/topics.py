"""Which text explains which page of the window."""

_BY_KEY = {
    "home": "home",
    "pipelines": "pipelines",
    "images": "images",
    "isolation": "isolation",
    "computer": "computer",
    "shortcuts": "shortcuts",
    "settings": "settings",
    "help": "help",
    "verify": "verify",
    "compare": "compare",
    "keys": "keys",
    "keybackup": "keybackup",
    "keyrestore": "keybackup",
    "keydrill": "keybackup",
    "keyrotate": "rotate",
    "build": "tools",
    "sign": "tools",
    "recipients": "tools",
    "decrypt": "tools",
    "pod": "pod",
    "podprepare": "podprepare",
    "podlock": "podlock",
    "podcompare": "podcompare",
    "podcapacity": "capacity",
    "podpack": "parcel",
    "podunpack": "parcel",
    "podpublish": "publish",
}
_BY_KIND = {
    "image": "image",
    "protect": "protect",
    "sample": "protect",
    "pod": "pod",
    "pipeline": "form",
    "pipelinefile": "pipelinefile",
    "isolation": "live",
}


def topic_of(key: str) -> str:
    """The address of the text for a page's key; a page of many is known by what is before ``:``."""
    name = _BY_KEY.get(key) or _BY_KIND.get(key.partition(":")[0]) or "home"
    return f"page:{name}"
