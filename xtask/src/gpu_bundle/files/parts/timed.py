"""Runs the bench of steps with PyTorch beside it, and makes rows of its numbers."""

import json
import os
import statistics
import sys

from support import DEVICE, PART, ROOT, check, row, run


def measure(nets, seconds, limit, rounds=7, round_seconds=0.3):
    """One row for each way of each net, one for each ratio, and a check that all ways compute the same."""
    out = os.path.join(os.environ.get("OUT", "."), PART + ".json")
    peers = f"{sys.executable} {os.path.join(ROOT, 'peers.py')}"
    words = ["--device", DEVICE, "--peers", peers, "--out", out, "--limit", limit, "--nets", ",".join(nets)]
    if DEVICE == "cpu":
        rounds, round_seconds = 3, 0.1
    ended = run("step", *words, "--rounds", rounds, "--seconds", round_seconds, seconds=seconds)
    print(ended.out)
    found = []
    if os.path.exists(out):
        with open(out) as file:
            found = json.load(file)
    check("all nets were measured", ended.code == 0 and len(found) == len(nets), f"{len(found)} of {len(nets)}", len(nets))
    for net in found:
        rows_of(net)


def rows_of(net):
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
    every = ("engine", "captured", "pinned", "pageable", "ahead")
    for ours in every:
        for way, median in medians.items():
            if ours in medians and way not in every:
                row(f"{net['net']}: {ours} / {way}", f"{medians[ours] / median:.3f}")
    losses = {way: numbers["loss"][-1] for way, numbers in net["ways"].items() if "loss" in numbers}
    if len(losses) > 1:
        apart = max(losses.values()) - min(losses.values())
        # some thousand updates; other weights, data or steps are farther apart than this
        limit = 0.02 * max(abs(loss) for loss in losses.values()) + 1e-3
        check(f"{net['net']}: all ways have one loss", apart <= limit, f"{apart:.2e} apart", f"at most {limit:.2e}")
