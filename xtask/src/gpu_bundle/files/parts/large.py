"""Times of one step of large networks in bfloat16: this engine, PyTorch, and torch.compile."""

from support import need_device
from timed import measure

need_device()
measure(["gpt2", "resnet50"], seconds=290, limit=150, rounds=5, round_seconds=1.5)
