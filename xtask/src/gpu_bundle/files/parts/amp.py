"""Lower precision on the device: trainings reach what they reach in Float, scaling skips and resumes to the byte."""

import json
import os

from support import DEVICE, binary, check, digits, environment, experiment, kill_when, need_device, newest, row, same_bytes, scratch

LENGTH = ["--device", DEVICE, "--set", "train.max_epochs=12"]
# gradients are not finite at the start: a scale of 65,536 is too large for this loss
SCALED = ["--set", "train.precision=F16", "--set", "deterministic=Strict", "--set", "model.dropout=0.2"]
SCALED += ["--set", "trainer.smoothing=0.05", "--set", "hooks.checkpoint.interval=1", "--set", "hooks.checkpoint.keep=100"]
SCALED += ["--set", "train.max_epochs=6", "--device", DEVICE]
UPDATES = 6 * 23


def values(run, name):
    """What the rows of a training show under a name."""
    found = []
    with open(os.path.join(run, "metrics.jsonl")) as file:
        for line in file:
            try:
                row_of = json.loads(line)
            except ValueError:
                continue
            for key, value in {**row_of, **row_of.get("values", {})}.items():
                if key in (name, "train/" + name):
                    found.append(value)
    return found


def accuracy(ended):
    said = [line for line in ended.out.splitlines() if line.startswith("val/accuracy = ")]
    return float(said[-1].split("=")[1]) if said else 0.0


need_device()
with scratch() as folder:
    for precision in ["F32", "Tf32", "Bf16", "F16", "Pure(Bf16)"]:
        name = precision.lower().strip(")").replace("(", "-")
        words = ["--set", f'name="{name}"', "--set", f"train.precision={precision}", *LENGTH]
        ended = digits(folder, experiment(), *words, seconds=60)
        found = f"accuracy {accuracy(ended):.4f} in {ended.seconds:.1f} s"
        least = 0.9 if precision.startswith("Pure") else 0.97
        check(f"12 epochs in {precision}", ended.code == 0 and accuracy(ended) >= least, found if ended.code == 0 else ended.error(), f"at least {least}")
    run = os.path.join(folder, "f16")
    for name in ["loss_scale", "skipped_updates"]:
        seen = values(run, name)
        row(f"F16: `{name}` in rows", f"{seen[0]:g} … {seen[-1]:g}" if seen else "nothing")

    def scaled(name, *more):
        return digits(folder, experiment(), "--set", f'name="{name}"', *SCALED, *more)

    first = scaled("first")
    words = ["train", experiment(), "--quiet", "--work-dir", folder, "--set", 'name="killed"', *SCALED]
    killed = os.path.join(folder, "killed")
    was = kill_when([binary("digits"), *words], lambda: (newest(killed)[1] or 0) >= 2 * 23, env=environment())
    _, at = newest(killed)
    if check("SIGKILL with scaled losses", was and at is not None and at < UPDATES, f"killed after {at} of {UPDATES}", "before the end"):
        second = scaled("killed", "--resume")
        (a, there), (b, here) = newest(os.path.join(folder, "first")), newest(killed)
        if first.code or second.code or there != UPDATES or here != UPDATES:
            check("F16, SIGKILL and --resume", False, first.error() if first.code else second.error(), f"{UPDATES} updates")
        else:
            differ = same_bytes(a, b)
            found = "other bytes in " + ", ".join(differ) if differ else "the same bytes"
            check("F16, SIGKILL and --resume", not differ, found, "the same bytes")
