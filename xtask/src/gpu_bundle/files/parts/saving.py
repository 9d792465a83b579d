"""Checkpoints that are copied beside the training have the bytes of those for which it waits, and a run goes on from them."""

import os

from support import DEVICE, check, digits, experiment, need_device, newest, row, same_bytes, scratch

# wide enough that a copy takes longer than it takes to begin the next update; dropout draws from the device's generator
WIDTH = 128 if DEVICE == "cuda" else 32
COMMON = ["--device", DEVICE, "--set", "deterministic=Strict", "--set", f"model.width={WIDTH}", "--set", "model.dropout=0.2"]
UPDATES = 3 * 23


def train(folder, name, background, *more):
    """A run with a checkpoint after every update."""
    saves = f'hooks.checkpoint=(interval: 1, by: Iter, keep: 1000, background: {background})'
    words = [experiment(), "--set", f'name="{name}"', *COMMON, "--set", "train.max_epochs=3", "--set", saves, *more]
    return digits(folder, *words)


def differences(folder, left, right):
    """The checkpoints of two runs that differ, with the files in which they do."""
    found = []
    for update in range(1, UPDATES + 1):
        name = f"iter_{update:09}"
        a, b = (os.path.join(folder, run, "checkpoints", name) for run in (left, right))
        if not (os.path.isdir(a) and os.path.isdir(b)):
            found.append(f"{name} is missing")
            continue
        differ = same_bytes(a, b)
        found += [f"{name}: " + ", ".join(differ)] if differ else []
    return found


def compare(what, folder, left, right, ended):
    found = [ended.error()] if ended.code != 0 else differences(folder, left, right)
    text = "the same bytes" if not found else f"{len(found)} of {UPDATES} differ, first {found[0]}"
    check(what, not found, text, f"the same bytes in {UPDATES} checkpoints")


need_device()
with scratch() as folder:
    waits = train(folder, "waits", "false")
    if check("a run that waits for each checkpoint", waits.code == 0, waits.error() if waits.code else "yes", "yes"):
        beside = train(folder, "beside", "true")
        compare("copied beside the training", folder, "waits", "beside", beside)
        if DEVICE == "cuda":
            # an update in a graph asks nobody, so the training waits for the copy
            graph = train(folder, "graph", "true", "--set", "step=CudaGraph()")
            compare("with steps as CUDA graphs", folder, "waits", "graph", graph)
        # the first half of a run, and the rest of it from its last checkpoint
        half = train(folder, "half", "true", "--max-iters", str(UPDATES // 2))
        ended = train(folder, "half", "true", "--resume") if half.code == 0 else half
        compare("stopped, and gone on from such a checkpoint", folder, "waits", "half", ended)
        none = digits(
            folder, experiment(), "--set", 'name="none"', *COMMON, "--set", "train.max_epochs=3", "--set", "hooks.checkpoint=(interval: 1000, save_last: false)"
        )
        if none.code == 0 and beside.code == 0:
            each = lambda run: 1000 * (run.seconds - none.seconds) / UPDATES
            row("milliseconds that a checkpoint adds, beside and waited for", f"{each(beside):.1f} and {each(waits):.1f}")
            size = sum(
                os.path.getsize(os.path.join(place, name))
                for place, _, names in os.walk(newest(os.path.join(folder, "beside"))[0])
                for name in names
            )
            row("size of each, in MB", f"{size / 1e6:.1f}")
