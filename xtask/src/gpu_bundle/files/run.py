"""Runs the parts one after the other, each in a process of its own with its own time, and prints a table.

usage: run.sh [options] [part…]

  --list         the parts, and what each proves
  --limit S      end after S seconds: what has not begun by then is left out
  --torch DIR…   folders with libtorch's libraries, instead of those of Python's torch

Results go to the folder in the variable OUT, or to `results` in the current folder: table.txt, results.jsonl, log.txt,
and the numbers of the parts that measure as JSON. A part that fails, hangs or crashes does not stop the next one. The exit
code is 0 when nothing failed, 1 when something did, 2 when nothing could be run.

ENGINE_BUNDLE_DEVICE=cpu runs all parts on the CPU: it proves the scripts, and nothing about a GPU.
"""

import datetime
import glob
import importlib.util
import json
import os
import signal
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))

# name, seconds, what it proves; a later part is one more line here and a file in `parts`
PARTS = [
    ("smoke", 150, "digits on the GPU ends where the CPU ends; Auto takes it; without a GPU messages are polite"),
    ("exact", 150, "the same seed, and SIGKILL + resume, give the same bytes with `deterministic: Strict`"),
    ("saving", 150, "checkpoints copied beside the training have the bytes of those it waits for, and runs go on from them"),
    ("sync", 90, "between two rows a step neither reads nor waits for the GPU"),
    ("amp", 150, "16 bits reach what Float reaches; losses that are scaled resume to the byte"),
    ("oom", 90, "a batch that does not fit ends with a clear message and a checkpoint to go on from"),
    ("loader", 120, "pinned memory and one batch ahead: the same bits, no wait; images a second beside PyTorch's DataLoader"),
    ("graph", 150, "steps as CUDA graphs compute the bits of eager ones; what can't be recorded stays eager"),
    ("perf", 180, "times of the step: this engine, a loop by hand, PyTorch, PyTorch's CUDA graph"),
    ("gpt2", 180, "GPT-2 in 16 bits: this engine, eager and by CUDA graphs, PyTorch, torch.compile"),
    ("resnet50", 180, "the same for ResNet-50"),
]


def library_folders():
    """Where libtorch and NVIDIA's libraries lie in this Python, without importing torch."""
    spec = importlib.util.find_spec("torch")
    if spec is None or not spec.submodule_search_locations:
        return []
    torch = list(spec.submodule_search_locations)[0]
    folders = [os.path.join(torch, "lib")]
    for place in [os.path.dirname(torch)] + sys.path:
        folders += sorted(glob.glob(os.path.join(place, "nvidia", "*", "lib")))
    return [f for f in dict.fromkeys(folders) if os.path.isdir(f)]


ASK_TORCH = """
import json, torch
there = torch.cuda.is_available()
found = {"torch": torch.__version__, "cuda": torch.version.cuda, "devices": torch.cuda.device_count() if there else 0}
if there:
    p = torch.cuda.get_device_properties(0)
    found.update(card=p.name, memory=p.total_memory, capability="%d.%d" % (p.major, p.minor))
    found["cudnn"] = torch.backends.cudnn.version()
print(json.dumps(found))
"""


def ask(command, seconds):
    """What a command prints, or None."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"  ({command[0]}: {error})")
        return None
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()
        print(f"  ({os.path.basename(command[0])}: {said[-1] if said else 'failed'})")
        return None
    return done.stdout.strip()


def machine():
    """What is said of the machine: date, card, driver, versions."""
    facts = {"date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")}
    answer = ask([sys.executable, "-c", ASK_TORCH], 120)
    facts.update(json.loads(answer.splitlines()[-1]) if answer else {"torch": "none", "devices": 0})
    driver = ask(["nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"], 30)
    facts["nvidia-smi"] = driver.splitlines()[0] if driver else "none"
    facts["kernel"] = " ".join([os.uname().sysname, os.uname().release, os.uname().machine])
    facts["cores"] = os.cpu_count()
    bundle = os.path.join(HERE, "bundle.txt")
    if os.path.exists(bundle):
        with open(bundle) as file:
            facts["bundle"] = file.readline().strip()
    return facts


def end(process):
    """Ends a part with all that it has started; one that the kernel holds on to is left behind."""
    for sign, seconds in [(signal.SIGTERM, 3), (signal.SIGKILL, 10)]:
        try:
            os.killpg(process.pid, sign)
            process.wait(seconds)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def run_part(name, seconds, environment, log):
    """Runs one part; how it ended, in words, and the seconds it took."""
    began = time.monotonic()
    command = [sys.executable, "-u", os.path.join(HERE, "parts", name + ".py")]
    process = subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )

    def copy():
        for line in process.stdout:
            sys.stdout.write("  " + line)
            sys.stdout.flush()
            log.write(line)
            log.flush()

    copier = threading.Thread(target=copy, daemon=True)
    copier.start()
    try:
        code = process.wait(seconds)
        ended = "done" if code == 0 else f"exit code {code}" if code > 0 else f"ended by signal {-code}"
    except subprocess.TimeoutExpired:
        end(process)
        ended = f"not done after {seconds:.0f} s"
    # what it has left running in its own group
    end(process)
    copier.join(5)
    return ended, time.monotonic() - began


def table(rows, facts):
    """The table as text."""
    lines = [f"{key}: {value}" for key, value in facts.items()]
    lines.append("")
    cells = [("part", "what", "found", "wanted", "")]
    # what is cut here is whole in results.jsonl
    short = lambda text: text if len(text) <= 90 else text[:89] + "…"
    cells += [(r["part"], r["what"], short(r["found"]), short(r["wanted"]), r["verdict"]) for r in rows]
    widths = [max(len(row[n]) for row in cells) for n in range(4)]
    for row in cells:
        lines.append("  ".join(row[n].ljust(widths[n]) for n in range(4)) + "  " + row[4])
    failed = sum(row["verdict"] == "FAILED" for row in rows)
    good = sum(row["verdict"] == "ok" for row in rows)
    skipped = sum(row["verdict"] == "left out" for row in rows)
    lines += ["", f"{good} ok, {failed} failed, {skipped} left out"]
    return "\n".join(lines)


def options(words):
    """The parts, the limit and the folders that the command line asks for."""
    known = [part[0] for part in PARTS]
    chosen, limit, folders = [], None, []
    words = list(words)
    while words:
        word = words.pop(0)
        if word in ("-h", "--help"):
            print(__doc__)
            sys.exit(0)
        elif word == "--list":
            for name, seconds, what in PARTS:
                print(f"{name:8} at most {seconds:3} s: {what}")
            sys.exit(0)
        elif word == "--limit" and words:
            try:
                limit = float(words.pop(0))
            except ValueError:
                sys.exit("error: `--limit` takes a number of seconds")
        elif word == "--torch":
            while words and os.path.isdir(words[0]):
                folders.append(os.path.abspath(words.pop(0)))
        elif word in known:
            chosen.append(word)
        else:
            print(f"error: `{word}` is not understood; the parts are {', '.join(known)}", file=sys.stderr)
            sys.exit(2)
    return chosen or known, limit, folders


def main():
    began = time.monotonic()
    chosen, limit, folders = options(sys.argv[1:])
    out = os.path.abspath(os.environ.get("OUT") or "results")
    os.makedirs(out, exist_ok=True)
    print("looking at the machine")
    facts = machine()
    for key, value in facts.items():
        print(f"  {key}: {value}")
    folders = folders or library_folders()
    if not any(os.path.exists(os.path.join(folder, "libtorch_cpu.so")) for folder in folders):
        print(f"error: no libtorch: `{sys.executable}` has no torch; set PYTHON to one that has, or give --torch DIR")
        sys.exit(2)
    device = os.environ.get("ENGINE_BUNDLE_DEVICE", "cuda")
    there = device == "cpu" or facts.get("devices", 0) > 0
    environment = dict(
        os.environ,
        ENGINE_BUNDLE_DEVICE=device,
        ENGINE_BUNDLE_THERE="1" if there else "0",
        ENGINE_BUNDLE_MEMORY=str(facts.get("memory", 0)),
        ENGINE_BUNDLE_LIBRARIES=os.pathsep.join(folders),
        ENGINE_BUNDLE_RESULTS=os.path.join(out, "results.jsonl"),
        OUT=out,
    )
    # a backtrace in a message is noise here
    environment.pop("RUST_BACKTRACE", None)
    with open(environment["ENGINE_BUNDLE_RESULTS"], "w") as results:
        results.write("")
    with open(os.path.join(out, "log.txt"), "w") as log:
        log.write(json.dumps(facts) + "\n")
        for name, seconds, what in PARTS:
            if name not in chosen:
                continue
            left = float("inf") if limit is None else limit - (time.monotonic() - began)
            if left < 10:
                note(environment, name, "the part", f"no time left of {limit:.0f} s", "to begin", "left out")
                continue
            print(f"\n{name}: {what}")
            log.write(f"\n==== {name}\n")
            ended, took = run_part(name, min(seconds, left), environment, log)
            verdict = "ok" if ended == "done" else "FAILED"
            note(environment, name, "the part", f"{ended}, {took:.1f} s", "done", verdict)
            with open(os.path.join(out, "table.txt"), "w") as file:
                file.write(table(read(environment), facts) + "\n")
    rows = read(environment)
    text = table(rows, facts)
    with open(os.path.join(out, "table.txt"), "w") as file:
        file.write(text + "\n")
    print(f"\n{text}\n\nresults are in {out}")
    sys.exit(1 if any(row["verdict"] == "FAILED" for row in rows) else 0)


def note(environment, part, what, found, wanted, verdict):
    row = {"part": part, "what": what, "found": found, "wanted": wanted, "verdict": verdict}
    with open(environment["ENGINE_BUNDLE_RESULTS"], "a") as file:
        file.write(json.dumps(row) + "\n")


def read(environment):
    """The rows so far; a line that was cut when its part was ended is left out."""
    rows = []
    with open(environment["ENGINE_BUNDLE_RESULTS"]) as file:
        for line in file:
            try:
                rows.append(json.loads(line))
            except ValueError:
                continue
    return rows


if __name__ == "__main__":
    main()
