# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes this folder's files with PyTorch's own torch.save and torch.jit.save.

Each is beside the values that it holds, as safetensors written by hand: what the file's tensors
are called and hold must not depend on the reader that is tested. Made with PyTorch 2.15.
"""
import argparse
import collections
import json
import pathlib
import struct
import zipfile

import numpy
import torch
from torch import nn

NAMES = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64"}


def write_expected(path, tensors):
    header, data = {}, b""
    for name, tensor in tensors.items():
        # Bytes as they are: NumPy knows no bfloat16.
        raw = tensor.detach().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
        header[name] = {"dtype": NAMES[tensor.dtype], "shape": list(tensor.shape),
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    pathlib.Path(path).write_bytes(struct.pack("<Q", len(text)) + text + data)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.attn = nn.MultiheadAttention(8, 2)
        self.ln_1 = nn.LayerNorm(8)


class Visual(nn.Module):
    """Named as CLIP's image tower; a convolution without bias, half and single precision."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 2, 2, bias=False).half()
        self.class_embedding = nn.Parameter(torch.randn(8))
        self.positional_embedding = nn.Parameter(torch.randn(5, 8))
        self.resblocks = nn.Sequential(Block(), Block())
        self.proj = nn.Parameter(torch.randn(8, 4).half())


class Clip(nn.Module):
    def __init__(self):
        super().__init__()
        self.visual = Visual()
        self.positional_embedding = nn.Parameter(torch.randn(6, 8))
        self.token_embedding = nn.Embedding(9, 8)
        self.logit_scale = nn.Parameter(torch.tensor(2.5))
        self.register_buffer("input_resolution", torch.tensor(4))

    def forward(self, image):
        return self.logit_scale * image


def scripted():
    torch.manual_seed(1)
    model = Clip().eval()
    write_expected("torchscript.safetensors", model.state_dict())
    torch.jit.save(torch.jit.trace(model, torch.ones(1)), "torchscript.pt")


def training():
    torch.manual_seed(2)
    tensors = {
        "cls_token": torch.randn(1, 1, 4),
        "patch_embed.proj.weight": torch.randn(4, 3, 2, 2),
        "patch_embed.proj.bias": torch.randn(4).bfloat16(),
        "blocks.0.norm1.weight": torch.randn(4).half(),
    }
    write_expected("training.safetensors", tensors)
    tensors["cls_token"] = nn.Parameter(tensors["cls_token"])
    tensors["patch_embed.proj.bias"].origin = "an attribute"
    log = collections.defaultdict(list)
    log["loss"] += [1.0, 0.5]
    checkpoint = {
        "epoch": 7,
        "arch": "vit_tiny",
        "state_dict": collections.OrderedDict(
            ("module._orig_mod." + name, tensor) for name, tensor in tensors.items()),
        "optimizer": {"state": {0: {"exp_avg": torch.zeros(4)}}, "param_groups": [{"lr": 0.1}]},
        "args": argparse.Namespace(model="vit_tiny", lr=0.1, nested=argparse.Namespace(a=1)),
        "best_acc1": numpy.float64(81.25),
        "array": numpy.arange(3),
        "log": log,
        "classes": {"a", "b"},
        "frozen": frozenset({"c"}),
        "size": torch.Size([32, 32]),
        "path": pathlib.PurePosixPath("/data"),
        "big": 1 << 80,
    }
    torch.save(checkpoint, "training.pth.tar")
    torch.save(checkpoint, "training-protocol4.pth", pickle_protocol=4)
    # Packed again by another program: compressed, in another order.
    with zipfile.ZipFile("training.pth.tar") as source, \
            zipfile.ZipFile("training-rezipped.pth", "w", zipfile.ZIP_DEFLATED) as target:
        for name in reversed(source.namelist()):
            target.writestr(name, source.read(name))


scripted()
training()
