"""A rank of PyTorch's DistributedDataParallel beside one of ours, for engine/tests/training/peers.

    python ddp.py plain|accumulate|unused|uneven|passes|fp16|bf16

The place of the rank is in the variables of torchrun. Element i of tensor j is sin(1 + j + 0.7 i), rounded to floats; ranks
begin with different weights, and rank 0's count. Prints the bits of the weights after 50 updates.

uneven: of 32 samples rank 0 has 20 and rank 1 has 12, and each counts the same. passes: two networks with an optimizer each, of
which the second learns from what the first gives, and then the first from what the second says, as in a GAN.
"""

import math
import os
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


def finish(parameters):
    for parameter in parameters:
        flat = parameter.detach().reshape(-1).tolist()
        print(" ".join(str(struct.unpack("<I", struct.pack("<f", number))[0]) for number in flat))
    dist.destroy_process_group()
    # without ending the interpreter: a thread of Gloo may still have an object of a Python hook (fp16, bf16) to let go, and one
    # that comes to it when the interpreter ends takes the process down with "terminate called without an active exception"
    sys.stdout.flush()
    os._exit(0)


def batch_of(place):
    first, count = (0, 20) if rank == 0 else (20, 12)
    if variant != "uneven":
        first, count = 16 * rank, 16
    x = filled((32, 8), place, 1.0)[first : first + count]
    y = (torch.arange(32) % 3)[first : first + count]
    return x, y, world * count / 32


def adamw(parameters):
    return torch.optim.AdamW(parameters, lr=0.01, weight_decay=0.1, fused=True)


def parallel(module, **options):
    return torch.nn.parallel.DistributedDataParallel(module, gradient_as_bucket_view=True, **options)


def passes():
    class Layer(torch.nn.Module):
        def __init__(self, shapes, first):
            super().__init__()
            tensors = (filled(shape, first + j, 0.3 + 0.1 * rank) for j, shape in enumerate(shapes))
            self.own = torch.nn.ParameterList(map(torch.nn.Parameter, tensors))

        def forward(self, x):
            return torch.nn.functional.linear(x, *self.own)

    maker, critic = Layer([(16, 8), (16,)], 0), Layer([(3, 16), (3,)], 2)
    by_maker, by_critic = adamw(maker.parameters()), adamw(critic.parameters())
    for update in range(50):
        x, y, _ = batch_of(9 + update)
        by_critic.zero_grad()
        if update == 0:
            of_critic = parallel(critic)
        torch.nn.functional.cross_entropy(of_critic(maker(x).relu().detach()), y).backward()
        by_critic.step()
        by_maker.zero_grad()
        if update == 0:
            of_maker = parallel(maker)
        critic.requires_grad_(False)
        torch.nn.functional.cross_entropy(critic(of_maker(x).relu()), (y + 1) % 3).backward()
        critic.requires_grad_(True)
        by_maker.step()
    finish([*maker.parameters(), *critic.parameters()])


if variant == "passes":
    passes()
net = Net()
ddp = parallel(net, find_unused_parameters=variant == "unused")
if variant in ("fp16", "bf16"):
    from torch.distributed.algorithms.ddp_comm_hooks import default_hooks

    ddp.register_comm_hook(None, getattr(default_hooks, f"{variant}_compress_hook"))
optimizer = adamw(net.parameters())
for update in range(50):
    optimizer.zero_grad()
    for batch in range(accumulate):
        x, y, share = batch_of(9 + update * accumulate + batch)
        ddp.require_backward_grad_sync = batch + 1 == accumulate
        # only rank 0 uses the parameter, and only in some updates
        use_extra = variant == "unused" and rank == 0 and update % 3 == 1
        loss = torch.nn.functional.cross_entropy(ddp(x, use_extra), y)
        (loss * (share / accumulate)).backward()
    optimizer.step()
finish(net.parameters())
