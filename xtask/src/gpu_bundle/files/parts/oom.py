"""A batch that does not fit ends with a clear message, at once, and the run goes on from its checkpoint."""

import os
import re

from support import DEVICE, MEMORY, check, digits, environment, experiment, need_device, newest, scratch

# without a schedule: the large batch makes a pass of one update, and so a shorter plan
NAME = ["--set", 'name="oom"', "--set", "schedule=[]", "--device", DEVICE]
# what the run is given on the device: enough for the weights and small batches, not for all data in one
MEGABYTES = 24

need_device()
if DEVICE == "cuda":
    share = MEGABYTES * 1e6 / max(MEMORY, 1)
    limited = {"env": environment(PYTORCH_CUDA_ALLOC_CONF=f"per_process_memory_fraction:{share:.9f}")}
    where = "cuda:0 is out of memory"
else:
    limited, where = {"limit_memory": 700_000_000}, "the host is out of memory"

with scratch() as folder:
    run = os.path.join(folder, "oom")
    ended = digits(folder, experiment(), *NAME, "--max-iters", 10)
    _, before = newest(run)
    found = ended.error() if ended.code else f"iter {before}"
    check("a run with a checkpoint", ended.code == 0 and before == 10, found, "iter 10")

    large = ["--set", "loaders.train.batch_size=1438", "--resume", "--max-iters", 20]
    ended = digits(folder, experiment(), *NAME, *large, **limited)
    check("it ends with exit code 1", ended.code == 1, f"{ended.code} in {ended.seconds:.1f} s", "1")
    told = ended.error()
    samples = re.search(r"with a batch of (\d+) samples and `net` of \d+ parameters", told)
    clear = where in told and samples is not None and int(samples[1]) > 64
    check("the message", clear, told[:200], f"{where} … with a batch of …")
    frames = "frame #" in ended.out or "Exception raised" in ended.out
    check("no stack of C++", not frames, "frames" if frames else "none", "none")
    _, after = newest(run)
    check("the checkpoint is still there", after == before, f"iter {after}", f"iter {before}")

    ended = digits(folder, experiment(), *NAME, "--resume", "--max-iters", 20)
    _, at = newest(run)
    check("it goes on from there", ended.code == 0 and at == 20, ended.error() if ended.code else f"iter {at}", "iter 20")
