"""digits on the device ends where the CPU ends; `Auto` takes the device; without one, messages are polite."""

import os
import shutil

from support import (
    DEVICE,
    check,
    difference,
    digits,
    environment,
    experiment,
    need_device,
    newest,
    row,
    run,
    scratch,
    weights,
)

# without TF32, in which convolutions on CUDA compute by default
EXACT = {"NVIDIA_TF32_OVERRIDE": "0"}
UPDATES = 20


def polite(folder):
    """A program without a device to see."""
    blind = environment(CUDA_VISIBLE_DEVICES="")
    ended = digits(folder, experiment(), "--set", 'name="blind"', "--device", "cuda", env=blind)
    told = ended.says("there is no device `Cuda(0)`: libtorch finds no CUDA device")
    check("Cuda(0) without a GPU", told and ended.code == 2, ended.error(), "exit code 2 and a message")
    ended = digits(folder, experiment(), "--set", 'name="auto-blind"', "--device", "auto", "--max-iters", 2, env=blind)
    check("Auto without a GPU", ended.code == 0 and on(folder, "auto-blind", "cpu"), ended.last(), "trains on the CPU")


def on(folder, name, device):
    """Whether the log of a run says that it ran there."""
    try:
        with open(os.path.join(folder, name, "log.txt")) as log:
            return any(f" device: {device}" in line for line in log)
    except OSError:
        return False


def both(folder, file, limit, what, env, more=()):
    """The same updates here and there, from the same weights and state."""
    name = f"{file.removesuffix('.ron')}-{'tf32' if env is None else 'f32'}-{len(more)}"
    start = [*more, "--set", f'name="{name}-start"', "--set", "model.dropout=0.0", "--device", "cpu", "--max-iters", 1]
    if digits(folder, experiment(file), *start).code != 0:
        check(f"{what}: the start", False, "failed", "a checkpoint after one update")
        return
    ends = []
    for device in ["cpu", DEVICE]:
        to_go_on = os.path.join(folder, f"{name}-{len(ends)}")
        shutil.copytree(os.path.join(folder, f"{name}-start"), to_go_on)
        # the folder says which experiment, and where the run is
        words = ["train", to_go_on, "--resume", "--quiet", "--device", device, "--max-iters", 1 + UPDATES]
        ended = run("digits", *words, env=environment(**(env or {})))
        checkpoint, at = newest(to_go_on)
        if ended.code != 0 or at != 1 + UPDATES:
            check(f"{what}: on {device}", False, ended.error(), f"{UPDATES} updates")
            return
        ends.append(weights(checkpoint))
    far = difference(*ends)
    for weight, apart in far.items():
        print(f"  {what}: {weight:24} {apart:.3e}")
    worst = max(far, key=far.get)
    found = f"{far[worst]:.2e} in {worst}"
    if limit is None:
        row(what, found)
    else:
        check(what, far[worst] <= limit, found, f"at most {limit:g}")


with scratch() as folder:
    polite(folder)
    need_device()
    ended = digits(folder, experiment(), "--set", 'name="auto"', "--device", "auto", "--max-iters", 2)
    there = "cuda:0" if DEVICE == "cuda" else "cpu"
    check("Auto takes the device", ended.code == 0 and on(folder, "auto", there), ended.last(), there)
    both(folder, "digits.ron", 1e-4, f"AdamW, {UPDATES} updates, CPU and device", EXACT)
    # Adam divides a gradient by its own size: where that is little more than rounding, so is what comes out. With an eps
    # above such gradients the difference goes away, if this is where it comes from
    both(folder, "digits.ron", 1e-4, f"AdamW with eps 1e-5, {UPDATES} updates, CPU and device", EXACT, ["--set", "optimizer.eps=1e-5"])
    both(folder, "sgd.ron", 1e-4, f"SGD, {UPDATES} updates, CPU and device", EXACT)
    both(folder, "digits.ron", None, f"AdamW, {UPDATES} updates, TF32 as it is by default", None)
    ended = digits(folder, experiment(), "--set", 'name="whole"', "--device", DEVICE, seconds=90)
    accuracy = [line for line in ended.out.splitlines() if line.startswith("val/accuracy = ")]
    reached = float(accuracy[-1].split("=")[1]) if accuracy else 0.0
    check("the whole training on the device", ended.code == 0 and reached >= 0.98, f"accuracy {reached:.4f} in {ended.seconds:.1f} s", "at least 0.98")
