"""Times of one step: this engine, a loop by hand over the same kernels, PyTorch, and PyTorch's CUDA graph."""

from support import need_device
from timed import measure

need_device()
measure(["tiny", "conv", "gpt"], seconds=170, limit=110)
