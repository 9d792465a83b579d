"""The work of `engine/benches/step` in PyTorch: peers.py WORK WAY DEVICE, then a number of iters a line on stdin.

WORK is a NET, adamw1000, adamw10000, optim_NAME (an optimizer, `foreach=True`), clip1000, validation, samples (with the way `processes`: a DataLoader of two) or images
(with the ways `torch` and `torch_pin`: a DataLoader of eight, without and with `pin_memory`).

NET is tiny, conv, gpt, gpt2 or resnet50 (the last two in bfloat16, by autocast). WAY is `eager` (the loss is read at the
end of a round, as rows do), `item` (in every iter, as most loops do), `graph` (the whole step as a CUDA graph, into which
each batch is copied) or `compile` (torch.compile of the network). The networks, weights and data are those of `nets.rs`.
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
# width, heads, layers, tokens, vocabulary
SMALL_GPT = (256, 4, 4, 256, 256)
GPT2 = (768, 12, 12, 1024, 50257)


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
            if weight.dim() == 1 and name.endswith("weight"):
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
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.mix = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        q, k, v = (p.unflatten(-1, (self.heads, -1)).transpose(1, 2) for p in self.qkv(self.norm1(x)).chunk(3, -1))
        seen = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.mix(seen.transpose(1, 2).flatten(2, 3))
        return x + self.down(F.gelu(self.up(self.norm2(x)), approximate="tanh"))


class Gpt(nn.Module):
    def __init__(self, sizes, own_head):
        super().__init__()
        width, heads, layers, tokens, vocabulary = sizes
        self.tokens, self.positions = nn.Embedding(vocabulary, width), nn.Embedding(tokens, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, vocabulary) if own_head else None

    def forward(self, x, y):
        h = self.tokens(x) + self.positions(torch.arange(x.shape[1], device=x.device))
        for block in self.blocks:
            h = block(h)
        h = self.norm(h)
        logits = self.head(h) if self.head is not None else F.linear(h, self.tokens.weight)
        return F.cross_entropy(logits.flatten(0, 1), y.flatten(0, 1))


class Bottleneck(nn.Module):
    def __init__(self, inputs, width, stride):
        super().__init__()
        for n, (a, b, size, step) in enumerate([(inputs, width, 1, 1), (width, width, 3, stride), (width, 4 * width, 1, 1)]):
            setattr(self, f"conv{n + 1}", nn.Conv2d(a, b, size, step, size // 2, bias=False))
            setattr(self, f"bn{n + 1}", nn.BatchNorm2d(b))
        self.downsample = None
        if stride != 1 or inputs != 4 * width:
            down = nn.Conv2d(inputs, 4 * width, 1, stride, bias=False)
            self.downsample = nn.Sequential(down, nn.BatchNorm2d(4 * width))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class Resnet50(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64)
        inputs = 64
        for stage, (width, count) in enumerate([(64, 3), (128, 4), (256, 6), (512, 3)]):
            blocks = []
            for place in range(count):
                blocks.append(Bottleneck(inputs, width, 2 if place == 0 and stage > 0 else 1))
                inputs = 4 * width
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
        self.fc = nn.Linear(inputs, 1000)

    def forward(self, x, y):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return F.cross_entropy(self.fc(x.mean((2, 3))), y)


def batch(name, device):
    cpu = device.type == "cpu"
    if name == "tiny":
        return spread([64, 64], 1000).to(device), numbers([64], 1001, 10).to(device)
    if name == "conv":
        n = 16 if cpu else 128
        return spread([n, 3, 32, 32], 1000).to(device), numbers([n], 1001, 10).to(device)
    if name == "resnet50":
        n = 2 if cpu else 256
        x = spread([n, 3, 224, 224], 1000).to(device, memory_format=torch.channels_last)
        return x, numbers([n], 1001, 1000).to(device)
    n = 1 if cpu else 16
    _, _, _, tokens, vocabulary = GPT2 if name == "gpt2" else SMALL_GPT
    return numbers([n, tokens], 1000, vocabulary).to(device), numbers([n, tokens], 1001, vocabulary).to(device)


def made(name, device):
    """The network with the weights of the bench, on the device."""
    nets = {"tiny": Tiny, "conv": Conv, "resnet50": Resnet50}
    nets.update(gpt=lambda: Gpt(SMALL_GPT, True), gpt2=lambda: Gpt(GPT2, False))
    net = nets[name]().to(device)
    fill(net)
    return net.to(memory_format=torch.channels_last) if name == "resnet50" else net


class Lower(nn.Module):
    """A network under autocast, as its forward pass is written by hand."""

    def __init__(self, net, device):
        super().__init__()
        self.net, self.device = net, device

    def forward(self, x, y):
        with torch.autocast(self.device.type, torch.bfloat16):
            return self.net(x, y)


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

    # a training has a new batch in each iter
    next_x, next_y = x.clone(), y.clone()

    def steps(iters):
        for _ in range(iters):
            x.copy_(next_x)
            y.copy_(next_y)
            graph.replay()
        return loss

    return steps


def profile(steps):
    """What the kernels of ten iters cost."""
    from torch.profiler import ProfilerActivity
    from torch.profiler import profile as taken

    steps(10)
    torch.cuda.synchronize()
    with taken(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as profiled:
        steps(10)
        torch.cuda.synchronize()
    print(profiled.key_averages().table(sort_by="self_cuda_time_total", row_limit=45, max_name_column_width=90))


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


class Talk:
    """How numbers of iters are asked for, a line each, and answered by a line of JSON: `talk.rs`."""

    def __init__(self, device):
        self.out = sys.stdout
        self.wait = torch.cuda.synchronize if device.type == "cuda" else lambda: None
        self.iters = self.left = WARM_UP
        self.before, self.began = cpu_seconds(), time.perf_counter()

    def answer(self, loss):
        self.wait()
        seconds, cpu = time.perf_counter() - self.began, cpu_seconds() - self.before
        print(json.dumps({"iters": self.iters, "seconds": seconds, "cpu": cpu, "loss": float(loss)}), file=self.out, flush=True)

    def question(self):
        """How many iters; None when nobody asks any more."""
        line = sys.stdin.readline().strip()
        if not line:
            return None
        self.iters = int(line)
        self.wait()
        self.before, self.began = cpu_seconds(), time.perf_counter()
        return self.iters

    def after_iter(self, loss):
        """For engines, which call this after each iter: the process ends when nobody asks any more."""
        self.left -= 1
        if self.left == 0:
            self.answer(loss.detach() if isinstance(loss, torch.Tensor) else loss)
            self.left = self.question()
            if self.left is None:
                os._exit(0)


def on_one_thread(device):
    """One thread on a CPU, and numbers near zero taken as zero, as in `talk.rs`."""
    if device.type == "cpu":
        torch.set_num_threads(1)
        torch.set_flush_denormal(True)
    # `F32` of this engine means 32 bits in convolutions too
    torch.backends.cudnn.allow_tf32 = False


# those of `work.rs`, with the settings that are not PyTorch's defaults
OPTIMIZERS = {
    "sgd": (torch.optim.SGD, {"momentum": 0.9}),
    "adam": (torch.optim.Adam, {}),
    "adamw": (torch.optim.AdamW, {}),
    "nadam": (torch.optim.NAdam, {}),
    "radam": (torch.optim.RAdam, {}),
    "adamax": (torch.optim.Adamax, {}),
    "rmsprop": (torch.optim.RMSprop, {}),
    "adagrad": (torch.optim.Adagrad, {}),
    "adadelta": (torch.optim.Adadelta, {}),
    "rprop": (torch.optim.Rprop, {}),
    "adafactor": (torch.optim.Adafactor, {}),
    "muon": (torch.optim.Muon, {}),
}


def optimizer_of(name):
    """It updates 1,000 matrices with multi-tensor operators, where it has them."""
    make, settings = OPTIMIZERS[name]
    if make is not torch.optim.Muon:
        settings = {**settings, "foreach": True}
    return make(small_tensors(1000, (8, 8)), lr=1e-3, **settings)


def small_tensors(count, shape=(64,)):
    tensors = [torch.ones(shape, requires_grad=True) for _ in range(count)]
    for tensor in tensors:
        tensor.square().sum().backward()
    return tensors


class Rows(torch.utils.data.Dataset):
    """Samples in memory, each a row of numbers and a class."""

    def __init__(self):
        self.numbers = torch.arange(100_000 * 64, dtype=torch.float32).view(100_000, 64).numpy()

    def __len__(self):
        return len(self.numbers)

    def __getitem__(self, index):
        return self.numbers[index], index % 10


class Images(torch.utils.data.Dataset):
    """Batches of images: all the same but for a factor, which differs from batch to batch, as in `images.rs`."""

    def __init__(self, device):
        count, side = (4, 32) if device.type == "cpu" else (64, 224)
        self.inputs, self.targets = spread([count, 3, side, side], 1000), numbers([count], 1001, 10)

    def __len__(self):
        return 1000

    def __getitem__(self, batch):
        return self.inputs * (1.0 + batch * 1e-3), self.targets.clone()


def images(way, device):
    """Steps on large batches that come from the host."""
    net = made("conv", device)
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=0.01, fused=True)
    pinned = way == "torch_pin" and device.type == "cuda"
    # a batch is made whole, as the engine's are; each process computes with one thread
    loader = torch.utils.data.DataLoader(Images(device), batch_size=None, num_workers=8, pin_memory=pinned)

    def forever():
        while True:
            yield from loader

    batches = forever()

    def steps(iters):
        for _ in range(iters):
            x, y = (part.to(device, non_blocking=pinned) for part in next(batches))
            optimizer.zero_grad()
            loss = net(x, y)
            loss.backward()
            optimizer.step()
        return loss

    return steps


def part(name, way):
    """Steps of a part of a training, which has no loss."""
    if name.startswith("adamw"):
        optimizer = torch.optim.AdamW(small_tensors(int(name[5:])), lr=1e-3, weight_decay=0.01, fused=True)
        once = optimizer.step
    elif name.startswith("optim_"):
        once = optimizer_of(name.removeprefix("optim_")).step
    elif name.startswith("clip"):
        tensors = small_tensors(int(name[4:]))
        once = lambda: nn.utils.clip_grad_norm_(tensors, 1.0)
    elif name == "validation":
        net, (x, y) = made("tiny", torch.device("cpu")), batch("tiny", torch.device("cpu"))

        def steps(iters):
            with torch.no_grad():
                total = torch.zeros(())
                for _ in range(iters):
                    total += net(x, y)
            return total / iters

        return steps
    else:
        workers = 2 if way == "processes" else 0
        loader = torch.utils.data.DataLoader(Rows(), batch_size=64, shuffle=True, num_workers=workers)

        def forever():
            while True:
                yield from loader

        batches = forever()
        once = lambda: next(batches)

    def steps(iters):
        for _ in range(iters):
            once()
        return torch.zeros(())

    return steps


def steps_of(name, way, device):
    """What takes steps of a network."""
    net = made(name, device)
    if name in ("gpt2", "resnet50"):
        net = Lower(net, device)
    x, y = batch(name, device)
    lr = 1e-4 if name in ("gpt2", "resnet50") else 1e-3
    capturable = {"capturable": True} if way == "graph" else {}
    optimizer = torch.optim.AdamW(net.parameters(), lr=lr, weight_decay=0.01, fused=True, **capturable)
    if way == "graph":
        return captured(net, optimizer, x, y)
    return eager(torch.compile(net) if way == "compile" else net, optimizer, x, y, way == "item")


def main():
    name, way, where = sys.argv[1:4]
    device = torch.device(where)
    on_one_thread(device)
    if way == "profile":
        return profile(steps_of(name, "eager", device))
    talk = Talk(device)
    is_net = name in ("tiny", "conv", "gpt", "gpt2", "resnet50")
    if is_net:
        steps = steps_of(name, way, device)
    else:
        steps = images(way, device) if name == "images" else part(name, way)
    # capturing takes no step: the updates before it are those of the warm-up
    loss = torch.zeros(()) if way == "graph" else steps(WARM_UP)
    while True:
        talk.answer(loss.detach())
        iters = talk.question()
        if iters is None:
            return
        loss = steps(iters)


if __name__ == "__main__":
    main()
