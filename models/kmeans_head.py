#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A dense head without labels, for mIoU curves against the unmerged map: k-means of the patch features of some
photographs. Needs NumPy, safetensors and `adamerge` in PATH.

    kmeans_head.py head.safetensors --model models/vit-small-cifar10 --input-size 392 --classes 12 photos/*.jpg

The head reads the last four blocks, the earlier the more: in a network made for one class a picture the last one
says the same of nearly all patches.
"""
import argparse
import pathlib
import subprocess
import tempfile

import numpy as np
from safetensors.numpy import load_file, save_file

SHARES = (1, 0.5, 0.35, 0.25)  # of the last four blocks
EPSILON = 1e-5  # batch norm's


def features(arguments, blocks):
    """[patches of all pictures, width] of each block, after the model's final norm."""
    weights = load_file(pathlib.Path(arguments.model, "model.safetensors"))
    found = {block: [] for block in blocks}
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "raw.safetensors")
        for picture in arguments.pictures:
            subprocess.run(
                ["adamerge", "inspect", picture, "--model", arguments.model, "--input-size", arguments.input_size,
                 "--method", "none", "--layer", ",".join(map(str, blocks)), "--tensors", str(file), "--dtype",
                 "float32", "--quiet"], check=True, stdout=subprocess.DEVNULL)
            raw = load_file(file)
            for block in blocks:
                found[block].append(raw[f"block.{block}.features"])
    for block in blocks:
        x = np.concatenate(found[block]).astype(np.float64)
        x = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-6)
        yield x * weights["norm.weight"] + weights["norm.bias"]


def centres(x, classes):
    """The best of three runs."""
    best = None
    for seed in range(3):
        c = x[np.random.default_rng(seed).choice(len(x), classes, replace=False)]
        for _ in range(40):
            distance = (c * c).sum(1) - 2 * x @ c.T
            nearest = distance.argmin(1)
            for j in np.unique(nearest):
                c[j] = x[nearest == j].mean(0)
        cost = distance.min(1).sum()
        if best is None or cost < best[0]:
            best = cost, c
    return best[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("head")
    parser.add_argument("pictures", nargs="+")
    parser.add_argument("--model", required=True, help="a folder of ours or timm's")
    parser.add_argument("--input-size", required=True)
    parser.add_argument("--classes", type=int, default=12)
    arguments = parser.parse_args()
    depth = 12
    x = np.concatenate(list(features(arguments, range(depth - len(SHARES), depth))), 1)
    mean, variance = x.mean(0), x.var(0)
    share = np.repeat(SHARES, x.shape[1] // len(SHARES))
    c = centres((x - mean) / np.sqrt(variance + EPSILON) * share, arguments.classes)
    # The nearest centre has the largest c x - c c / 2.
    head = {"weight": c * share, "bias": -(c * c).sum(1) / 2, "bn.weight": np.ones_like(mean),
            "bn.bias": np.zeros_like(mean), "bn.running_mean": mean, "bn.running_var": variance}
    save_file({name: value.astype(np.float32) for name, value in head.items()}, arguments.head)


if __name__ == "__main__":
    main()
