"""Steps as CUDA graphs compute the bits of eager steps, and what can't be recorded stays eager and says why."""

import json

from support import DEVICE, check, need_device, run

need_device()
ended = run("step", "prove", "--device", DEVICE, seconds=140)
cases = [json.loads(line) for line in ended.out.splitlines() if line.startswith('{"case"')]
for case in cases:
    check(case["case"], case["good"], case["found"], "the bits of eager steps")
check("all cases were tried", ended.code in (0, 1) and len(cases) >= 9, f"{len(cases)}" if cases else ended.error(), "9")
