"""digits on the device ends where the CPU ends; `Auto` takes the device; without one, messages are polite."""

import os
import shutil
import subprocess
import sys

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


def both(folder, file, limit, what, updates=UPDATES, more=()):
    """The same updates here and there, from the same weights and state; their distance."""
    name = f"{file.removesuffix('.ron')}-{updates}-{len(more)}"
    start = [*more, "--set", f'name="{name}-start"', "--set", "model.dropout=0.0", "--device", "cpu", "--max-iters", 1]
    if digits(folder, experiment(file), *start).code != 0:
        check(f"{what}: the start", False, "failed", "a checkpoint after one update")
        return
    ends = []
    for device in ["cpu", DEVICE]:
        to_go_on = os.path.join(folder, f"{name}-{len(ends)}")
        shutil.copytree(os.path.join(folder, f"{name}-start"), to_go_on)
        # the folder says which experiment, and where the run is
        words = ["train", to_go_on, "--resume", "--quiet", "--device", device, "--max-iters", 1 + updates]
        ended = run("digits", *words)
        checkpoint, at = newest(to_go_on)
        if ended.code != 0 or at != 1 + updates:
            check(f"{what}: on {device}", False, ended.error(), f"{updates} updates")
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
        check(what, far[worst] <= limit, found, f"at most {limit:.2g}")


def of_pytorch(optimizer):
    """How far PyTorch is from itself, CPU and device, in a training like that of digits; None without a device."""
    command = [sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), "distance.py"), optimizer, DEVICE]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        return float(done.stdout.split()[-1])
    except (OSError, ValueError, IndexError, subprocess.TimeoutExpired):
        return None


with scratch() as folder:
    polite(folder)
    need_device()
    ended = digits(folder, experiment(), "--set", 'name="auto"', "--device", "auto", "--max-iters", 2)
    there = "cuda:0" if DEVICE == "cuda" else "cpu"
    check("Auto takes the device", ended.code == 0 and on(folder, "auto", there), ended.last(), there)
    both(folder, "sgd.ron", 1e-4, f"SGD, {UPDATES} updates, CPU and device")
    both(folder, "digits.ron", 1e-4, "AdamW, 3 updates, CPU and device", 3)
    # Adam divides a gradient by its own size, so that differences by rounding grow to the size of the learning rate where
    # gradients are small. PyTorch's do too: it sets the limit
    apart = of_pytorch("adamw")
    row(f"PyTorch's AdamW, {UPDATES} updates, CPU and device", "no number" if apart is None else f"{apart:.2e}")
    both(folder, "digits.ron", apart, f"AdamW, {UPDATES} updates, CPU and device")
    tf32 = ["--set", "train.precision=Tf32"]
    both(folder, "digits.ron", None, f"AdamW, {UPDATES} updates, `Tf32`", more=tf32)
    ended = digits(folder, experiment(), "--set", 'name="whole"', "--device", DEVICE, seconds=90)
    accuracy = [line for line in ended.out.splitlines() if line.startswith("val/accuracy = ")]
    reached = float(accuracy[-1].split("=")[1]) if accuracy else 0.0
    check("the whole training on the device", ended.code == 0 and reached >= 0.98, f"accuracy {reached:.4f} in {ended.seconds:.1f} s", "at least 0.98")
