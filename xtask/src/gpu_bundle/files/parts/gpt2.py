"""Times of one step of GPT-2 with 124 M parameters in bfloat16: this engine, PyTorch, and torch.compile."""

from support import need_device
from timed import measure

need_device()
measure(["gpt2"], seconds=170, limit=170, rounds=5, round_seconds=1.5)
