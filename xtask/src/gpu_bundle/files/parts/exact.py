"""The same seed, and a run that was killed and went on, give the same bytes of weights and optimizer state."""

import os

from support import DEVICE, binary, check, digits, environment, experiment, kill_when, need_device, newest, row, same_bytes, scratch

# dropout draws from the device's generator, whose state has to come back too
COMMON = ["--device", DEVICE, "--set", "model.dropout=0.2", "--set", "train.max_epochs=6"]
SAVES = ["--set", "hooks.checkpoint.interval=1", "--set", "hooks.checkpoint.keep=100"]
UPDATES = 6 * 23


def train(folder, name, level):
    words = [experiment(), "--set", f'name="{name}"', "--set", f"deterministic={level}", *COMMON, *SAVES]
    return digits(folder, *words)


def compare(what, folder, left, right, ended, must=True):
    """Two runs at their ends."""
    (a, at), (b, there) = newest(os.path.join(folder, left)), newest(os.path.join(folder, right))
    if ended.code != 0 or at != UPDATES or there != UPDATES:
        return check(what, False, ended.error(), f"{UPDATES} updates")
    differ = same_bytes(a, b)
    found = "the same bytes" if not differ else "other bytes in " + ", ".join(differ)
    if must:
        return check(what, not differ, found, "the same bytes")
    row(what, found)
    return not differ


def killed(folder, name, level):
    """A run that is killed when it has saved a checkpoint, and then goes on to its end."""
    words = ["train", experiment(), "--quiet", "--work-dir", folder, "--set", f'name="{name}"']
    words += ["--set", f"deterministic={level}", *COMMON, *SAVES]
    run = os.path.join(folder, name)
    was = kill_when([binary("digits"), *words], lambda: (newest(run)[1] or 0) >= 2 * 23, env=environment())
    _, at = newest(run)
    if not check("SIGKILL in the middle", was and at is not None and at < UPDATES, f"killed after {at} of {UPDATES} updates", "before the end"):
        return None
    return digits(folder, experiment(), "--set", f'name="{name}"', "--set", f"deterministic={level}", *COMMON, *SAVES, "--resume")


need_device()
with scratch() as folder:
    level = "Strict"
    first = train(folder, "first-Strict", level)
    if not check("`deterministic: Strict` runs", first.code == 0, first.error() if first.code else "yes", "yes"):
        # what it refuses is said above; with Warn the rest is seen all the same
        level = "Warn"
        first = train(folder, "first-Warn", level)
    second = train(folder, f"second-{level}", level)
    compare(f"the same seed twice, {level}", folder, f"first-{level}", f"second-{level}", second)
    went_on = killed(folder, "killed", level)
    if went_on is not None:
        compare(f"SIGKILL and --resume, {level}", folder, f"first-{level}", "killed", went_on)
    for name in ["first-Off", "second-Off"]:
        off = train(folder, name, "Off")
    compare("the same seed twice, Off", folder, "first-Off", "second-Off", off, must=False)
    row("seconds of a whole run, Strict and Off", f"{second.seconds:.1f} and {off.seconds:.1f}")
    wrong = environment(CUBLAS_WORKSPACE_CONFIG=":0:0")
    ended = digits(folder, experiment(), "--set", 'name="wrong"', "--set", "deterministic=Strict", *COMMON, env=wrong)
    if DEVICE == "cuda":
        told = ended.code != 0 and ended.says("`CUBLAS_WORKSPACE_CONFIG` is `:0:0`")
        check("a cuBLAS workspace that does not fit", told, ended.error(), "is refused")
