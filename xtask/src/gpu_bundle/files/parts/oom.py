"""A batch that does not fit ends with a clear message, at once, and the run goes on from its checkpoint."""

import os

from support import DEVICE, MEMORY, check, digits, environment, experiment, need_device, newest, scratch

NAME = ["--set", 'name="oom"', "--device", DEVICE]
# the whole of the data in one batch
LARGE = ["--set", "loaders.train.batch_size=1438"]
# what the run is given on the device: enough for the weights, not for such a batch
MEGABYTES = 24

need_device()
with scratch() as folder:
    run = os.path.join(folder, "oom")
    first = digits(folder, experiment(), *NAME, "--max-iters", 10)
    _, before = newest(run)
    check("a run with a checkpoint", first.code == 0 and before == 10, first.error() if first.code else "iter 10", "iter 10")

    if DEVICE == "cuda":
        share = MEGABYTES * 1e6 / max(MEMORY, 1)
        limited = {"env": environment(PYTORCH_CUDA_ALLOC_CONF=f"per_process_memory_fraction:{share:.9f}")}
        large, where = LARGE, "cuda:0 is out of memory"
    else:
        # the host has no allocator that could be limited: a wider network, and less address space
        limited = {"limit_memory": 2_500_000_000}
        large, where = [*LARGE, "--set", 'name="wide"', "--set", "model.width=1024"], "the host is out of memory"
        digits(folder, experiment(), *NAME, "--set", 'name="wide"', "--set", "model.width=1024", "--max-iters", 1, "--set", "loaders.train.batch_size=2")
        run, before = os.path.join(folder, "wide"), 1
    ended = digits(folder, experiment(), *NAME, *large, "--resume", "--max-iters", before + 10, seconds=60, **limited)
    check("it ends with exit code 1", ended.code == 1, f"{ended.code} in {ended.seconds:.1f} s", "1")
    told = ended.error()
    check("where, and with how much", where in told and "with a batch of 1438 samples and `net` of " in told, told[:160], f"{where} … with a batch of 1438 samples")
    check("no stack of C++", "frame #" not in ended.out and "Exception raised" not in ended.out, "none" if "frame #" not in ended.out else "frames", "none")
    _, after = newest(run)
    check("the checkpoint is still there", after == before, f"iter {after}", f"iter {before}")
    if DEVICE == "cuda":
        ended = digits(folder, experiment(), *NAME, "--resume", "--max-iters", 20)
        _, at = newest(run)
        check("it goes on from there", ended.code == 0 and at == 20, f"iter {at}", "iter 20")
