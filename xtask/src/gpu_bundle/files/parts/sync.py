"""Between two rows a step neither reads a value from the device nor waits for it."""

import json

from support import DEVICE, check, need_device, run

need_device()
for name in ["tiny", "conv", "gpt"]:
    for way in [[], ["--from-host"]]:
        ended = run("step", "check", name, "--device", DEVICE, *way, seconds=40)
        numbers = next((json.loads(line) for line in ended.out.splitlines() if line.startswith('{"iters"')), None)
        what = f"{name}, batches {'from the host' if way else 'on the device'}"
        if numbers is None:
            check(what, False, ended.error(), "0 reads, no wait")
            continue
        found = f"{numbers['reads']} reads in {numbers['iters']} iters, {numbers['rows_read']} for rows"
        check(what, ended.code == 0 and numbers["reads"] == 0 and numbers["iters"] >= 100, found, "0 reads, no wait")
