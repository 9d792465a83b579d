"""Unpacks the libraries and headers of a wheel; nothing beyond Python's own library is used.

    unpack.py metadata WHEEL          prints the wheel's metadata
    unpack.py cpu|cuda WHEEL HOME     fills HOME/lib and HOME/include
"""

import os
import re
import shutil
import sys
import zipfile

# what libtorch_cpu.so is linked to, and no more
FOR_CPU = re.compile(r"(torch/lib/lib(c10|torch_cpu|gomp)|nvidia/.+/lib/lib(cudart|cupti))\.so(\.[0-9]+)*")
FOR_CUDA = re.compile(r"(torch/lib|nvidia/.+/lib)/[^/]+\.so(\.[0-9]+)*")
# these need Python, or are replaced by a file of ours
NEVER = re.compile(r"torch/lib/lib(torch_python|torch_global_deps|shm|torch)\.so")
HEADER = re.compile(r"torch/(include/.+[^/])")


def place(name, wanted):
    """Where a member of the wheel belongs below HOME, or None."""
    if ".." in name.split("/"):
        return None
    header = HEADER.fullmatch(name)
    if header:
        return header.group(1)
    if wanted.fullmatch(name) and not NEVER.fullmatch(name):
        return "lib/" + name.rsplit("/", 1)[1]
    return None


def metadata(wheel):
    name = next(n for n in wheel.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", n))
    sys.stdout.write(wheel.read(name).decode())


def unpack(wheel, home, wanted):
    parent = os.getppid()
    for name in wheel.namelist():
        target = place(name, wanted)
        if target is None:
            continue
        if os.getppid() != parent:
            sys.exit("the set-up was stopped")  # nobody waits for this any more
        path = os.path.join(home, target)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with wheel.open(name) as source, open(path, "wb") as sink:
            shutil.copyfileobj(source, sink, 1 << 20)


with zipfile.ZipFile(sys.argv[2]) as opened:
    if sys.argv[1] == "metadata":
        metadata(opened)
    else:
        unpack(opened, sys.argv[3], FOR_CUDA if sys.argv[1] == "cuda" else FOR_CPU)
