"""Opens the page of runs in Chromium, looks, clicks and types. Arguments: the address, and what to do there.

When all is well, the exit code is 0; a failed `check` says what was seen. `picture` writes `docs/board.png`: see there.
"""

import sys

from curves import look, offline
from live import live
from measure import measure
from picture import picture
from views import halved, hostile, matrix, plan, states, sweep, unreadable

KNOWN = [look, offline, states, plan, matrix, sweep, halved, unreadable, hostile, live, measure, picture]
{known.__name__: known for known in KNOWN}[sys.argv[2]](sys.argv[1])
