"""Models of PyTorch with the names of torchvision's ResNet-18 and of GPT-2, as files that others read, and back.

    torch_models.py write FOLDER               the files of both models, and what each makes of an input
    torch_models.py resnet FOLDER FILE         what the ResNet-18 makes of the input with the weights of FILE
    torch_models.py script FOLDER FILE INPUT   what a TorchScript file makes of the tensors in INPUT
"""

import json
import math
import os
import sys

import torch
from safetensors.torch import load_file, save_file
from torch import nn


class BasicBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        same = x if self.downsample is None else self.downsample(x)
        x = self.bn1(self.conv1(x)).relu()
        return (self.bn2(self.conv2(x)) + same).relu()


class ResNet18(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        widths = [(64, 64, 1), (64, 128, 2), (128, 256, 2), (256, 512, 2)]
        for number, (inputs, outputs, stride) in enumerate(widths, 1):
            layer = nn.Sequential(BasicBlock(inputs, outputs, stride), BasicBlock(outputs, outputs, 1))
            setattr(self, f"layer{number}", layer)
        self.fc = nn.Linear(512, 1000)

    def forward(self, x):
        x = self.maxpool(self.bn1(self.conv1(x)).relu())
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.mean((2, 3)))


class Conv1D(nn.Module):
    """GPT-2's linear layer, whose weight is [inputs, outputs]."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(inputs, outputs) / math.sqrt(inputs))
        self.bias = nn.Parameter(torch.randn(outputs) * 0.1)

    def forward(self, x):
        return x @ self.weight + self.bias


class Attention(nn.Module):
    def __init__(self, width, heads, length):
        super().__init__()
        self.heads = heads
        self.c_attn = Conv1D(width, 3 * width)
        self.c_proj = Conv1D(width, width)
        # as in the files of the hub
        self.register_buffer("bias", torch.ones(length, length).tril().view(1, 1, length, length))
        self.register_buffer("masked_bias", torch.tensor(-1e4))

    def forward(self, x):
        batch, length, width = x.shape
        parts = [part.view(batch, length, self.heads, -1).transpose(1, 2) for part in self.c_attn(x).chunk(3, -1)]
        query, key, value = parts
        scores = query @ key.transpose(-1, -2) / math.sqrt(query.size(-1))
        scores = scores.masked_fill(self.bias[:, :, :length, :length] == 0, -math.inf)
        return self.c_proj((scores.softmax(-1) @ value).transpose(1, 2).reshape(batch, length, width))


class Block(nn.Module):
    def __init__(self, width, heads, length):
        super().__init__()
        self.ln_1 = nn.LayerNorm(width)
        self.attn = Attention(width, heads, length)
        self.ln_2 = nn.LayerNorm(width)
        self.mlp = nn.ModuleDict({"c_fc": Conv1D(width, 4 * width), "c_proj": Conv1D(4 * width, width)})

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        hidden = nn.functional.gelu(self.mlp["c_fc"](self.ln_2(x)), approximate="tanh")
        return x + self.mlp["c_proj"](hidden)


class Gpt2(nn.Module):
    """GPT-2 in small; the last layer shares the weight of the first."""

    def __init__(self, vocabulary=211, length=32, width=48, heads=4, blocks=3):
        super().__init__()
        self.wte = nn.Embedding(vocabulary, width)
        self.wpe = nn.Embedding(length, width)
        self.h = nn.ModuleList([Block(width, heads, length) for _ in range(blocks)])
        self.ln_f = nn.LayerNorm(width)

    def forward(self, tokens):
        x = self.wte(tokens) + self.wpe(torch.arange(tokens.size(1)))
        for block in self.h:
            x = block(x)
        return self.ln_f(x) @ self.wte.weight.T / math.sqrt(x.size(-1))


def resnet():
    """A network whose statistics are those of no fresh one."""
    torch.manual_seed(1)
    model = ResNet18()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0.0, 0.1)
            nn.init.normal_(module.running_mean, 0.0, 0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            module.num_batches_tracked.fill_(7)
    return model.eval()


def write(folder):
    model, images = resnet(), torch.randn(2, 3, 64, 64)
    save_file(model.state_dict(), f"{folder}/resnet18.safetensors")
    half = {name: tensor.to(torch.bfloat16) if tensor.is_floating_point() else tensor for name, tensor in model.state_dict().items()}
    save_file(half, f"{folder}/resnet18-bf16.safetensors")
    torch.save(model.state_dict(), f"{folder}/resnet18.pth")
    torch.save({"state_dict": model.state_dict(), "epoch": 3}, f"{folder}/wrapped.pth")
    save_file({"input": images, "output": model(images)}, f"{folder}/resnet18-io.safetensors")

    torch.manual_seed(2)
    model, tokens = Gpt2().eval(), torch.randint(0, 211, (3, 19))
    names = list(model.state_dict())
    shards = [names[: len(names) // 2], names[len(names) // 2 :]]
    files = [f"model-{number:05}-of-00002.safetensors" for number in (1, 2)]
    weight_map = {}
    for file, shard in zip(files, shards):
        save_file({name: model.state_dict()[name].contiguous() for name in shard}, f"{folder}/gpt2/{file}", {"format": "pt"})
        weight_map.update({name: file for name in shard})
    with open(f"{folder}/gpt2/model.safetensors.index.json", "w") as out:
        json.dump({"metadata": {"total_size": 0}, "weight_map": weight_map}, out)
    save_file({"input": tokens, "output": model(tokens)}, f"{folder}/gpt2-io.safetensors")


def main():
    what, folder, *more = sys.argv[1:]
    torch.set_num_threads(1)
    with torch.no_grad():
        if what == "write":
            os.makedirs(f"{folder}/gpt2", exist_ok=True)
            return write(folder)
        if what == "resnet":
            model, io = resnet(), load_file(f"{folder}/resnet18-io.safetensors")
            missing, unexpected = model.load_state_dict(load_file(more[0]), strict=False)
            assert not unexpected and all(name.endswith("num_batches_tracked") for name in missing), (missing, unexpected)
            outputs = {"output": model(io["input"])}
        else:
            module, inputs = torch.jit.load(more[0]), load_file(more[1])
            found = module(*[inputs[name] for name in sorted(inputs)])
            found = found if isinstance(found, tuple) else (found,)
            outputs = {f"output{number}": tensor.contiguous() for number, tensor in enumerate(found)}
        save_file(outputs, f"{folder}/answer.safetensors")


main()
