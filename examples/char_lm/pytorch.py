"""The recipe of experiments/gpt2.ron in PyTorch, to compare the loss and the time of an iter.

    python pytorch.py text.bin

trains on one thread and prints the processor time of an iter, and the loss over the last tenth of the tokens. It needs
torch and numpy.
"""

import argparse
import math
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

LAYERS, HEADS, WIDTH, BLOCK, BATCH, ITERS, WARM_UP, LR = 4, 4, 128, 64, 12, 2000, 100, 1e-3


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm_attention, self.norm_mlp = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.qkv, self.mix = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.up, self.down = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x):
        heads = [part.unflatten(-1, (HEADS, -1)).transpose(1, 2) for part in self.qkv(self.norm_attention(x)).chunk(3, -1)]
        seen = F.scaled_dot_product_attention(*heads, is_causal=True)
        x = x + self.mix(seen.transpose(1, 2).flatten(2, 3))
        return x + self.down(F.gelu(self.up(self.norm_mlp(x)), approximate="tanh"))


class Gpt(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(256, WIDTH), nn.Embedding(BLOCK, WIDTH)
        self.blocks, self.norm = nn.ModuleList(Block() for _ in range(LAYERS)), nn.LayerNorm(WIDTH)
        for name, parameter in self.named_parameters():
            if "norm" in name:
                continue
            added = name.endswith(("mix.weight", "down.weight"))
            scale = 0.02 / math.sqrt(2 * LAYERS) if added else 0.02
            nn.init.zeros_(parameter) if name.endswith("bias") else nn.init.normal_(parameter, std=scale)

    def forward(self, tokens):
        x = self.tokens(tokens) + self.positions(torch.arange(tokens.shape[1]))
        for block in self.blocks:
            x = block(x)
        return self.norm(x) @ self.tokens.weight.T


def loss_of(net, windows):
    return F.cross_entropy(net(windows[:, :-1]).flatten(0, 1), windows[:, 1:].flatten())


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("tokens")
    arguments.add_argument("--iters", type=int, default=ITERS)
    arguments.add_argument("--seed", type=int, default=42)
    given = arguments.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(given.seed)
    tokens = np.memmap(given.tokens, dtype=np.uint16, mode="r")
    cut = len(tokens) // 10 * 9
    train, val = tokens[:cut], tokens[cut:]
    net = Gpt()
    decay = [parameter for parameter in net.parameters() if parameter.dim() > 1]
    others = [parameter for parameter in net.parameters() if parameter.dim() <= 1]
    groups = [{"params": decay, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=LR, betas=(0.9, 0.99), fused=True)
    rng, began = np.random.default_rng(given.seed), time.process_time()
    for n in range(given.iters):
        rest = min(1.0, max(0.0, (n - WARM_UP) / max(1, given.iters - WARM_UP)))
        factor = 0.01 + 0.99 * n / WARM_UP if n < WARM_UP else 0.1 + 0.9 * (1 + math.cos(math.pi * rest)) / 2
        for group in optimizer.param_groups:
            group["lr"] = LR * factor
        starts = rng.integers(len(train) - BLOCK - 1, size=BATCH)
        windows = torch.from_numpy(np.stack([train[start : start + BLOCK + 1] for start in starts]).astype(np.int64))
        optimizer.zero_grad()
        loss = loss_of(net, windows)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        if n % 250 == 249:
            print(f"iter {n + 1}: training loss {loss.item():.3f}", flush=True)
    spent = time.process_time() - began
    count = (len(val) - 1) // BLOCK
    windows = np.stack([val[n * BLOCK : n * BLOCK + BLOCK + 1] for n in range(count)]).astype(np.int64)
    with torch.no_grad():
        losses = [loss_of(net, part).item() * len(part) for part in torch.from_numpy(windows).split(64)]
    loss = sum(losses) / count
    print(f"validation: loss {loss:.4f}, perplexity {math.exp(loss):.3f}")
    print(f"processor time: {1000 * spent / given.iters:.1f} ms for each iter, {spent:.0f} s for all")


if __name__ == "__main__":
    main()
