"""The collector: reads /proc, /sys and cgroups of a Kata host and writes one stream.

It needs Python 3.8 and nothing else, for it is sent to hosts where nothing is installed. It never
talks to a shim, a QMP socket or an agent, and it changes nothing. ``stream`` documents what it
writes, ``tables`` the columns.
"""
