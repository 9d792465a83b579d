"""Times of one step of ResNet-50 in bfloat16, channels last: this engine, PyTorch, and torch.compile."""

from support import need_device
from timed import measure

need_device()
measure(["resnet50"], seconds=170, limit=170, rounds=5, round_seconds=1.5)
