"""A rank of PyTorch's DistributedDataParallel beside one of ours, for engine/tests/training/peers.

    python ddp.py plain|accumulate|unused|fp16|bf16

The place of the rank is in the variables of torchrun. Element i of tensor j is sin(1 + j + 0.7 i), rounded to floats; ranks
begin with different weights, and rank 0's count. Prints the bits of the weights after 50 updates.
"""

import math
import struct
import sys

import torch
import torch.distributed as dist

torch.set_num_threads(1)
variant = sys.argv[1]
accumulate = 4 if variant == "accumulate" else 1
dist.init_process_group("gloo")
rank, world = dist.get_rank(), dist.get_world_size()


def filled(shape, j, factor):
    flat = [factor * math.sin(1 + j + 0.7 * i) for i in range(math.prod(shape))]
    return torch.tensor(flat, dtype=torch.float64).to(torch.float32).reshape(shape)


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        shapes = [(16, 8), (16,), (3, 16), (3,)]
        self.own = torch.nn.ParameterList(
            torch.nn.Parameter(filled(shape, j, 0.3 + 0.1 * rank)) for j, shape in enumerate(shapes)
        )
        if variant == "unused":
            self.extra = torch.nn.Parameter(filled((3,), 4, 0.3))

    def forward(self, x, use_extra):
        w1, b1, w2, b2 = self.own
        logits = torch.nn.functional.linear(torch.nn.functional.linear(x, w1, b1).relu(), w2, b2)
        return logits + self.extra if use_extra else logits


net = Net()
ddp = torch.nn.parallel.DistributedDataParallel(
    net, gradient_as_bucket_view=True, find_unused_parameters=variant == "unused"
)
if variant in ("fp16", "bf16"):
    from torch.distributed.algorithms.ddp_comm_hooks import default_hooks

    ddp.register_comm_hook(None, getattr(default_hooks, f"{variant}_compress_hook"))
optimizer = torch.optim.AdamW(net.parameters(), lr=0.01, weight_decay=0.1, fused=True)
for update in range(50):
    optimizer.zero_grad()
    for batch in range(accumulate):
        x = filled((32, 8), 9 + update * accumulate + batch, 1.0)[16 * rank : 16 * rank + 16]
        y = (torch.arange(32) % 3)[16 * rank : 16 * rank + 16]
        ddp.require_backward_grad_sync = batch + 1 == accumulate
        # only rank 0 uses the parameter, and only in some updates
        use_extra = variant == "unused" and rank == 0 and update % 3 == 1
        loss = torch.nn.functional.cross_entropy(ddp(x, use_extra), y)
        (loss * (1.0 / accumulate)).backward()
    optimizer.step()
for parameter in net.parameters():
    flat = parameter.detach().reshape(-1).tolist()
    print(" ".join(str(struct.unpack("<I", struct.pack("<f", number))[0]) for number in flat))
dist.destroy_process_group()
