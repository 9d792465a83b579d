"""Times of one step: this engine, a loop by hand over the same kernels, PyTorch, and PyTorch's CUDA graph."""

import json
import os
import statistics
import sys

from support import DEVICE, ROOT, THERE, check, need_device, row, run

need_device()
out = os.path.join(os.environ.get("OUT", "."), "perf.json")
peers = f"{sys.executable} {os.path.join(ROOT, 'peers.py')}"
words = ["--device", DEVICE, "--peers", peers, "--out", out, "--limit", 110]
if DEVICE == "cpu":
    words += ["--rounds", 3, "--seconds", 0.1]
ended = run("step", *words, seconds=170)
print(ended.out)
nets = []
if os.path.exists(out):
    with open(out) as file:
        nets = json.load(file)
check("all nets were measured", ended.code == 0 and len(nets) == 3, f"{len(nets)} of 3", "3")
for net in nets:
    medians = {}
    for way, numbers in net["ways"].items():
        if "error" in numbers:
            check(f"{net['net']}: {way}", False, numbers["error"][:120], "numbers")
            continue
        walls = numbers["wall_us"]
        medians[way] = statistics.median(walls)
        rate = net["per_iter"] * 1e6 / medians[way]
        found = f"{medians[way]:.1f} µs ({min(walls):.1f}..{max(walls):.1f}), {rate:.0f} {net['unit']}/s"
        row(f"{net['net']}: {way}", f"{found}, loss {numbers['loss'][-1]:.6f}")
    for way, median in medians.items():
        if way != "engine" and "engine" in medians:
            row(f"{net['net']}: engine / {way}", f"{medians['engine'] / median:.3f}")
    losses = {way: numbers["loss"][-1] for way, numbers in net["ways"].items() if "loss" in numbers}
    if len(losses) > 1:
        apart = max(losses.values()) - min(losses.values())
        # float32 over some thousand updates; other weights, data or steps are farther apart than this
        limit = 0.02 * max(abs(loss) for loss in losses.values()) + 1e-3
        check(f"{net['net']}: all ways have one loss", apart <= limit, f"{apart:.2e} apart", f"at most {limit:.2e}")
