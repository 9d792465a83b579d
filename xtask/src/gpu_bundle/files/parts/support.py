"""What all parts use: the programs of the bundle, rows of the table, checkpoints and their weights."""

import array
import contextlib
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DEVICE = os.environ.get("ENGINE_BUNDLE_DEVICE", "cuda")
# whether that device is here
THERE = os.environ.get("ENGINE_BUNDLE_THERE", "0") == "1"
MEMORY = int(os.environ.get("ENGINE_BUNDLE_MEMORY", "0"))
PART = os.path.splitext(os.path.basename(sys.argv[0]))[0]


def row(what, found, wanted="", verdict="seen"):
    """A row of the table: verdict is `ok`, `FAILED`, `left out` or `seen` (a number that proves nothing alone)."""
    line = {"part": PART, "what": what, "found": str(found), "wanted": str(wanted), "verdict": verdict}
    print(f"{verdict}: {what}: {found}" + (f" (wanted: {wanted})" if wanted else ""), flush=True)
    path = os.environ.get("ENGINE_BUNDLE_RESULTS")
    if path:
        with open(path, "a") as file:
            file.write(json.dumps(line) + "\n")


def check(what, holds, found, wanted):
    """A row that is right or wrong; gives which."""
    row(what, found, wanted, "ok" if holds else "FAILED")
    return holds


def need_device():
    """Ends the part politely when its device is not here."""
    if not THERE:
        row("the device", "no CUDA device here", f"`{DEVICE}`", "left out")
        sys.exit(0)


def binary(name):
    """A program of the bundle, made executable if the way here has taken that away."""
    path = os.path.join(ROOT, "bin", name)
    if os.access(path, os.X_OK):
        return path
    try:
        os.chmod(path, os.stat(path).st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
        return path
    except OSError:
        copy = os.path.join(tempfile.mkdtemp(prefix="bundle-bin-"), name)
        shutil.copyfile(path, copy)
        os.chmod(copy, 0o755)
        return copy


def environment(**extra):
    """The environment of a program of the bundle: libtorch is found, nothing else is changed but `extra`."""
    env = dict(os.environ)
    folders = [env.get("ENGINE_BUNDLE_LIBRARIES", ""), env.get("LD_LIBRARY_PATH", "")]
    env["LD_LIBRARY_PATH"] = os.pathsep.join(folder for folder in folders if folder)
    for key, value in extra.items():
        if value is None:
            env.pop(key, None)
        else:
            env[key] = value
    return env


class Ended:
    """How a program ended."""

    def __init__(self, code, out, seconds):
        self.code, self.out, self.seconds = code, out, seconds

    def says(self, text):
        return text in self.out

    def last(self):
        lines = [line for line in self.out.strip().splitlines() if line.strip()]
        return lines[-1] if lines else "nothing was said"

    def error(self):
        """Its first line of error, or its last line."""
        lines = self.out.splitlines()
        return next((line for line in lines if line.startswith("error")), self.last())


def run(name, *arguments, seconds=60, env=None, limit_memory=None):
    """Runs a program of the bundle; what it says goes to the log too."""
    command = [binary(name), *map(str, arguments)]
    print("$ " + " ".join([name, *map(str, arguments)]), flush=True)

    def before():
        if limit_memory:
            import resource

            # what a process may write to: files that are mapped do not count
            resource.setrlimit(resource.RLIMIT_DATA, (limit_memory, limit_memory))

    began = time.monotonic()
    process = subprocess.Popen(
        command,
        env=env or environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        preexec_fn=before if limit_memory else None,
    )
    try:
        out, _ = process.communicate(timeout=seconds)
        code = process.returncode
    except subprocess.TimeoutExpired:
        process.kill()
        try:
            out, _ = process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            out = ""
        out, code = f"{out}\nnot done after {seconds} s", 124
    took = time.monotonic() - began
    lines = out.splitlines()
    for line in lines if len(lines) < 25 else lines[:6] + ["  …"] + lines[-18:]:
        print("    " + line[:600], flush=True)
    print(f"    exit code {code}, {took:.1f} s", flush=True)
    return Ended(code, out, took)


def digits(folder, *arguments, **options):
    """Trains `examples/digits` below `folder`, with one thread on the CPU."""
    return run("digits", "train", *arguments, "--quiet", "--work-dir", folder, **options)


def experiment(name="digits.ron"):
    return os.path.join(ROOT, "experiments", name)


def kill_when(command, is_time, seconds=60, env=None):
    """Starts a command and ends it by SIGKILL as soon as `is_time()`; whether that came before it was done."""
    print("$ " + " ".join(map(str, [os.path.basename(command[0]), *command[1:]])) + "  # and SIGKILL", flush=True)
    process = subprocess.Popen(
        command, env=env or environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
    )
    until = time.monotonic() + seconds
    killed = False
    while process.poll() is None and time.monotonic() < until:
        if is_time():
            process.send_signal(signal.SIGKILL)
            killed = True
            break
        time.sleep(0.002)
    if process.poll() is None and not killed:
        process.kill()
    process.wait(10)
    return killed and process.returncode == -signal.SIGKILL


def newest(run_folder):
    """The newest checkpoint of a run: its folder and the iter it is of."""
    folder = os.path.join(run_folder, "checkpoints")
    names = sorted(n for n in os.listdir(folder) if n.startswith("iter_")) if os.path.isdir(folder) else []
    if not names:
        return None, None
    return os.path.join(folder, names[-1]), int(names[-1][len("iter_") :])


def weights(checkpoint):
    """The weights of a checkpoint, `{name: (shape, floats)}`, read without any package."""
    with open(os.path.join(checkpoint, "net.safetensors"), "rb") as file:
        data = file.read()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    found = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        if entry["dtype"] != "F32":
            raise ValueError(f"`{name}` is {entry['dtype']}, not F32")
        begin, end = entry["data_offsets"]
        floats = array.array("f")
        floats.frombytes(data[8 + length + begin : 8 + length + end])
        found[name] = (entry["shape"], floats)
    return found


def difference(left, right):
    """The greatest absolute difference of each weight, `{name: difference}`; NaN is infinitely far."""
    if left.keys() != right.keys():
        raise ValueError(f"different weights: {sorted(left.keys() ^ right.keys())}")
    far = {}
    for name, (shape, floats) in left.items():
        if shape != right[name][0]:
            raise ValueError(f"`{name}` has two shapes: {shape} and {right[name][0]}")
        worst = 0.0
        for a, b in zip(floats, right[name][1]):
            apart = abs(a - b)
            if not apart <= worst:
                worst = apart if apart == apart else float("inf")
        far[name] = worst
    return far


def tensor_files(checkpoint):
    """The files of a checkpoint that hold tensors, by their paths in it."""
    found = []
    for folder, _, names in os.walk(checkpoint):
        found += [os.path.relpath(os.path.join(folder, name), checkpoint) for name in names if name.endswith(".safetensors")]
    return sorted(found)


def same_bytes(left, right):
    """The files of two checkpoints that differ or that only one has. Only tensors: other files hold times of writing."""
    files, others = tensor_files(left), tensor_files(right)
    differ = sorted(set(files) ^ set(others))
    for name in sorted(set(files) & set(others)):
        with open(os.path.join(left, name), "rb") as a, open(os.path.join(right, name), "rb") as b:
            if a.read() != b.read():
                differ.append(name)
    return differ


@contextlib.contextmanager
def scratch():
    """A folder for runs, gone at the end."""
    folder = tempfile.mkdtemp(prefix="engine-bundle-")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
