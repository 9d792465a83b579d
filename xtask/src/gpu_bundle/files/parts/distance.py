"""How far PyTorch is from itself, CPU and device, after 20 updates: distance.py adamw|sgd DEVICE.

The network, the batch size, the optimizer, its schedule and the clipping are those of `examples/digits`; the data are noise.
"""

import copy
import sys

import torch
from torch import nn
from torch.nn import functional as F

UPDATES = 20


class Cnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 32, 3, padding=1), nn.Conv2d(32, 64, 3, padding=1)
        self.third, self.out = nn.Conv2d(64, 64, 3, padding=1), nn.Linear(256, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.second(F.relu(self.first(x)))), 2)
        return self.out(F.max_pool2d(F.relu(self.third(x)), 2).flatten(1))


def trained(start, name, device):
    net = copy.deepcopy(start).to(device)
    if name == "adamw":
        rate, optimizer = 3e-3, torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=0.05, fused=True)
    else:
        rate, optimizer = 0.1, torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, nesterov=True, fused=True)
    noise = torch.Generator().manual_seed(1)
    for update in range(UPDATES):
        x, y = torch.rand(64, 1, 8, 8, generator=noise), torch.randint(0, 10, (64,), generator=noise)
        for group in optimizer.param_groups:
            group["lr"] = rate * (0.01 + 0.99 * update / 46)
        optimizer.zero_grad()
        F.cross_entropy(net(x.to(device)), y.to(device)).backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
    return [weight.detach().cpu() for weight in net.parameters()]


torch.backends.cudnn.allow_tf32 = False
torch.manual_seed(0)
start = Cnn()
pairs = zip(trained(start, sys.argv[1], "cpu"), trained(start, sys.argv[1], sys.argv[2]))
print(max((a - b).abs().max().item() for a, b in pairs))
