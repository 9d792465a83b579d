"""Batches that come from the host: the same bits by pinned memory and one batch ahead, no wait, and images a second."""

import json

from support import DEVICE, check, need_device, run
from timed import measure

need_device()
ended = run("step", "loader", "--device", DEVICE, seconds=70)
cases = [json.loads(line) for line in ended.out.splitlines() if line.startswith('{"case"')]
for case in cases:
    check(case["case"], case["good"], case["found"], "the bits of pageable memory" if "wait" not in case["case"] else "0 reads, no wait")
check("all cases were tried", ended.code in (0, 1) and len(cases) == 10, f"{len(cases)}" if cases else ended.error(), "10")
measure(["images"], seconds=48, limit=48, rounds=5, round_seconds=0.5)
