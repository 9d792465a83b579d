"""The recipe of experiments/fashion.ron in PyTorch, to compare the time of an iter.

    python pytorch.py --iters 100

trains so many iters on one thread and prints the processor time of one, and the accuracy on the test images when all
epochs were trained. It needs torch and numpy.
"""

import argparse
import gzip
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

EPOCHS, BATCH = 24, 128


class Block(nn.Module):
    def __init__(self, before, after, stride):
        super().__init__()
        self.norm1 = nn.BatchNorm2d(before)
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        changes = before != after or stride != 1
        self.shortcut = nn.Conv2d(before, after, 1, stride, bias=False) if changes else None

    def forward(self, x):
        features = F.relu(self.norm1(x))
        around = self.shortcut(features) if self.shortcut else x
        return self.conv2(F.relu(self.norm2(self.conv1(features)))) + around


class ResNet(nn.Module):
    def __init__(self, width=32):
        super().__init__()
        self.stem = nn.Conv2d(1, width, 3, 1, 1, bias=False)
        self.blocks = nn.Sequential(Block(width, width, 1), Block(width, 2 * width, 2), Block(2 * width, 4 * width, 2))
        self.norm = nn.BatchNorm2d(4 * width)
        self.out = nn.Linear(4 * width, 10)

    def forward(self, images):
        features = self.blocks(self.stem((images - 0.286) / 0.353))
        return self.out(F.relu(self.norm(features)).mean((2, 3)))


def read(folder, name):
    data = gzip.open(folder / f"{name}.gz").read()
    if "images" in name:
        return torch.from_numpy(np.frombuffer(data, np.uint8, offset=16).reshape(-1, 1, 28, 28).copy())
    return torch.from_numpy(np.frombuffer(data, np.uint8, offset=8).copy()).long()


def augmented(images):
    """Flip, crop from a border of two pixels, cutout in half of the images; a few operations for the whole batch."""
    n = len(images)
    images = torch.where(torch.rand(n, 1, 1, 1) < 0.5, images.flip(3), images)
    rows = torch.randint(5, (n, 1, 1, 1)) + torch.arange(28).view(1, 1, 28, 1)
    columns = torch.randint(5, (n, 1, 1, 1)) + torch.arange(28).view(1, 1, 1, 28)
    images = F.pad(images, (2, 2, 2, 2))[torch.arange(n).view(n, 1, 1, 1), 0, rows, columns]
    top, left = torch.randint(28, (n, 1, 1, 1)) - 4, torch.randint(28, (n, 1, 1, 1)) - 4
    at = torch.arange(28)
    row, column = at.view(1, 1, 28, 1), at.view(1, 1, 1, 28)
    square = (row >= top) & (row < top + 8) & (column >= left) & (column < left + 8)
    return images.masked_fill(square & (torch.rand(n, 1, 1, 1) < 0.5), 0.0)


def mixed(images, targets):
    share = torch.distributions.Beta(0.1, 0.1).sample()
    order = torch.randperm(len(images))
    return share * images + (1 - share) * images[order], share * targets + (1 - share) * targets[order]


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--iters", type=int, help="end after so many iters")
    args.add_argument("--data", type=Path, default=Path("/usr/share/datasets/fashion-mnist"))
    args = args.parse_args()
    torch.manual_seed(42)
    torch.set_num_threads(1)
    images, labels = read(args.data, "train-images-idx3-ubyte"), read(args.data, "train-labels-idx1-ubyte")
    net = ResNet()
    average = torch.optim.swa_utils.AveragedModel(
        net, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.998), use_buffers=True
    )
    decayed = [p for p in net.parameters() if p.ndim > 1]
    others = [p for p in net.parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": 5e-4}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.SGD(groups, lr=0.1, momentum=0.9, nesterov=True, fused=True)
    per_epoch = len(images) // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=0.1, total_steps=EPOCHS * per_epoch, pct_start=0.2, base_momentum=0.855, max_momentum=0.9
    )
    done, began = 0, None
    for _ in range(EPOCHS):
        order = torch.randperm(len(images))
        for batch in order[: per_epoch * BATCH].split(BATCH):
            if done == 10:
                began = time.process_time()
            inputs = augmented(images[batch].float() / 255)
            inputs, targets = mixed(inputs, F.one_hot(labels[batch], 10).float())
            loss = F.cross_entropy(net(inputs), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            average.update_parameters(net)
            done += 1
            if done % 50 == 0:
                print(f"iter {done}  loss {loss.item():.4f}", flush=True)
            if done == args.iters:
                print(f"{(time.process_time() - began) / (done - 10):.4f} s of processor time for an iter")
                return
    average.eval()
    images, labels = read(args.data, "t10k-images-idx3-ubyte"), read(args.data, "t10k-labels-idx1-ubyte")
    with torch.no_grad():
        right = sum(int((average(i.float() / 255).argmax(1) == l).sum()) for i, l in zip(images.split(500), labels.split(500)))
    print(f"accuracy {right / len(labels):.4f}")
    print(f"{(time.process_time() - began) / (done - 10):.4f} s of processor time for an iter")


if __name__ == "__main__":
    main()
