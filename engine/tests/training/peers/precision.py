"""Trains a small network in mixed precision and prints what came of it, for engine/tests/training/peers.

    python precision.py bf16|f16

Element i of tensor j is sin(1 + j + 0.7 i), rounded to floats. Numbers are printed as the bits of floats.
"""

import math
import struct
import sys

import torch

torch.set_num_threads(1)
kind = {"bf16": torch.bfloat16, "f16": torch.float16}[sys.argv[1]]


def filled(shape, j, factor):
    flat = [factor * math.sin(1 + j + 0.7 * i) for i in range(math.prod(shape))]
    return torch.tensor(flat, dtype=torch.float64).to(torch.float32).reshape(shape)


def bits(number):
    return struct.unpack("<I", struct.pack("<f", number))[0]


shapes = [(16, 8), (16,), (3, 16), (3,)]
w1, b1, w2, b2 = parameters = [torch.nn.Parameter(filled(shape, j, 0.3)) for j, shape in enumerate(shapes)]
x, y = filled((32, 8), 9, 1.0), torch.arange(32) % 3
optimizer = torch.optim.AdamW(parameters, lr=0.01, weight_decay=0.1, fused=True)
scaler = torch.amp.GradScaler("cpu", enabled=kind == torch.float16)
for step in range(40):
    optimizer.zero_grad(set_to_none=True)
    with torch.autocast("cpu", kind):
        logits = torch.nn.functional.linear(torch.relu(torch.nn.functional.linear(x, w1, b1)), w2, b2)
        loss = torch.nn.functional.cross_entropy(logits, y)
    # gradients that overflow, twice
    scaler.scale(loss * math.inf if step in (7, 20) else loss).backward()
    scaler.unscale_(optimizer)
    torch.nn.utils.clip_grad_norm_(parameters, 0.5)
    scaler.step(optimizer)
    scaler.update()
    print(bits(loss.item()), bits(scaler.get_scale() if scaler.is_enabled() else 0.0))
    if kind == torch.bfloat16 and step == 6:
        # without a scale an infinite gradient is taken in
        break
for parameter in parameters:
    print(*[bits(number) for number in parameter.detach().flatten().tolist()])
