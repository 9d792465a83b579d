"""The steps of `engine/benches/step` in PyTorch: peers.py NET WAY DEVICE, then a number of iters a line on stdin.

NET is tiny, conv or gpt. WAY is `eager` (the loss is read at the end of a round, as rows do), `item` (in every iter, as
most loops do) or `graph` (the whole step as a CUDA graph). The networks, weights and data are those of `nets.rs`.
"""

import json
import math
import os
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

WARM_UP = 30
WIDTH, HEADS, LAYERS, TOKENS, VOCABULARY = 256, 4, 4, 256, 256


def scrambled(size, seed):
    mask = 2147483648
    places = torch.arange(math.prod(size), dtype=torch.int64)
    bits = (places * 1103515245 + (seed * 12345 + 1)).remainder(mask)
    for factor in (747796405, 277803737):
        bits = ((bits ^ (bits >> 15)) * factor).remainder(mask)
    return (bits ^ (bits >> 13)).view(size)


def spread(size, seed):
    return ((scrambled(size, seed).double() / 1073741824.0) - 1.0).float()


def numbers(size, seed, below):
    return scrambled(size, seed).remainder(below)


def fill(net):
    with torch.no_grad():
        for seed, (name, weight) in enumerate(sorted(net.named_parameters())):
            values = spread(list(weight.shape), seed)
            if "norm" in name and name.endswith("weight"):
                values = 1.0 + 0.1 * values
            elif name.endswith("bias"):
                values = 0.01 * values
            else:
                values = values * (1.0 / math.sqrt(weight.numel() / weight.shape[0]))
            weight.copy_(values)


class Tiny(nn.Module):
    def __init__(self):
        super().__init__()
        self.up, self.down = nn.Linear(64, 128), nn.Linear(128, 10)

    def forward(self, x, y):
        return F.cross_entropy(self.down(F.relu(self.up(x))), y)


class Conv(nn.Module):
    def __init__(self):
        super().__init__()
        for n, (inputs, outputs, stride) in enumerate([(3, 32, 1), (32, 64, 2), (64, 128, 2)]):
            setattr(self, f"conv{n}", nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1))
        self.out = nn.Linear(128, 10)

    def forward(self, x, y):
        for n in range(3):
            x = F.relu(getattr(self, f"conv{n}")(x))
        return F.cross_entropy(self.out(x.mean((2, 3))), y)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.qkv, self.mix = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.up, self.down = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x):
        q, k, v = (p.unflatten(-1, (HEADS, -1)).transpose(1, 2) for p in self.qkv(self.norm1(x)).chunk(3, -1))
        seen = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.mix(seen.transpose(1, 2).flatten(2, 3))
        return x + self.down(F.gelu(self.up(self.norm2(x)), approximate="tanh"))


class Gpt(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(VOCABULARY, WIDTH), nn.Embedding(TOKENS, WIDTH)
        self.blocks = nn.ModuleList(Block() for _ in range(LAYERS))
        self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, VOCABULARY)

    def forward(self, x, y):
        h = self.tokens(x) + self.positions(torch.arange(TOKENS, device=x.device))
        for block in self.blocks:
            h = block(h)
        return F.cross_entropy(self.head(self.norm(h)).flatten(0, 1), y.flatten(0, 1))


def batch(name, device):
    cpu = device.type == "cpu"
    if name == "tiny":
        return spread([64, 64], 1000).to(device), numbers([64], 1001, 10).to(device)
    if name == "conv":
        n = 16 if cpu else 128
        return spread([n, 3, 32, 32], 1000).to(device), numbers([n], 1001, 10).to(device)
    n = 1 if cpu else 16
    return numbers([n, TOKENS], 1000, VOCABULARY).to(device), numbers([n, TOKENS], 1001, VOCABULARY).to(device)


def eager(net, optimizer, x, y, read):
    def steps(iters):
        for _ in range(iters):
            optimizer.zero_grad()
            loss = net(x, y)
            loss.backward()
            optimizer.step()
            if read:
                loss.item()
        return loss

    return steps


def captured(net, optimizer, x, y):
    """The recipe of PyTorch's documentation; the updates before the capture are those of the warm-up."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        eager(net, optimizer, x, y, False)(WARM_UP)
    torch.cuda.current_stream().wait_stream(side)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    optimizer.zero_grad(set_to_none=True)
    with torch.cuda.graph(graph):
        loss = net(x, y)
        loss.backward()
        optimizer.step()

    def steps(iters):
        for _ in range(iters):
            graph.replay()
        return loss

    return steps


def cpu_seconds():
    """The processor time of this process's threads that still live, as `talk.rs` counts it."""
    total = 0.0
    for task in os.listdir("/proc/self/task"):
        try:
            with open(f"/proc/self/task/{task}/schedstat") as file:
                total += int(file.read().split()[0]) / 1e9
        except (OSError, IndexError, ValueError):
            pass
    return total


def main():
    name, way, where = sys.argv[1:4]
    device = torch.device(where)
    if device.type == "cpu":
        torch.set_num_threads(1)
    wait = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    net = {"tiny": Tiny, "conv": Conv, "gpt": Gpt}[name]().to(device)
    fill(net)
    x, y = batch(name, device)
    capturable = {"capturable": True} if way == "graph" else {}
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=0.01, fused=True, **capturable)
    before, began = cpu_seconds(), time.perf_counter()
    if way == "graph":
        steps = captured(net, optimizer, x, y)
        # capturing takes no step: the loss is that of a first replay, which counts to the warm-up of nobody
        loss, done = torch.zeros(()), WARM_UP
    else:
        steps = eager(net, optimizer, x, y, way == "item")
        loss, done = steps(WARM_UP), WARM_UP
    while True:
        wait()
        seconds, cpu = time.perf_counter() - began, cpu_seconds() - before
        print(json.dumps({"iters": done, "seconds": seconds, "cpu": cpu, "loss": float(loss.detach())}), flush=True)
        line = sys.stdin.readline().strip()
        if not line:
            return
        done = int(line)
        wait()
        before, began = cpu_seconds(), time.perf_counter()
        loss = steps(done)


main()
