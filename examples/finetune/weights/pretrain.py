"""Makes digits.safetensors: a network in PyTorch that reads handwritten digits, trained on the first 900 images.

    python examples/finetune/weights/pretrain.py        (with torch 2.11.0, numpy and safetensors; some seconds)

Its layers have the names that `nn.Sequential` gives them, as in many published files.
"""

import gzip
import pathlib

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

HERE = pathlib.Path(__file__).parent


def main():
    torch.manual_seed(0)
    torch.set_num_threads(1)
    with gzip.open(HERE / "../../digits/data/digits.csv.gz") as file:
        rows = torch.tensor(np.loadtxt(file, delimiter=","), dtype=torch.float32)
    rows = rows[:900]
    x, y = (rows[:, :64] / 16).view(-1, 1, 8, 8), rows[:, 64].long()
    net = nn.Sequential()
    net.add_module("features", nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    ))
    net.add_module("flatten", nn.Flatten())
    net.add_module("classifier", nn.Linear(128, 10))
    optimizer = torch.optim.AdamW(net.parameters(), lr=3e-3)
    for epoch in range(30):
        for part in torch.randperm(len(x)).split(64):
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(x[part]), y[part]).backward()
            optimizer.step()
    right = (net(x).argmax(1) == y).float().mean().item()
    save_file({name: tensor.detach() for name, tensor in net.state_dict().items()}, HERE / "digits.safetensors")
    print(f"{len(x)} images, {right:.4f} of them right")


main()
