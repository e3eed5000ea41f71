#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""ToMe, AdaMerge and AdaMerge+ on the tiny bundled model, computed a second time without the program's
core: the formulas in NumPy, images through Pillow. Runs `adamerge evaluate` on the same images and
tells whether accuracy and FLOPs agree; exit status 1 where they do not.

    models/independent_check.py CIFAR10-TEST [--per-class 30] [--adamerge build/bin/adamerge]
    models/independent_check.py --plus-cases tests/data/merging

CIFAR10-TEST has one sub-folder per class. The second form writes the reference runs of AdaMerge+ on the
pictures drawn-*.ppm of a folder beside them. Needs python3-numpy and python3-pil.
"""
import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

MODEL = Path(__file__).resolve().parent / "vit-tiny-cifar10"
DEPTH, DIM, HEADS, PATCH, SIDE = 12, 192, 3, 4, 56
HEAD_DIM = DIM // HEADS


def read_weights(path):
    raw = path.read_bytes()
    length = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + length])
    types = {"F16": np.float16, "F32": np.float32}
    weights = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        first, last = (8 + length + offset for offset in entry["data_offsets"])
        values = np.frombuffer(raw[first:last], types[entry["dtype"]])
        weights[name] = values.reshape(entry["shape"]).astype(np.float32)
    return weights


def read_image(path):
    picture = Image.open(path).convert("RGB").resize((SIDE, SIDE), Image.BICUBIC)
    return (np.asarray(picture, np.float32).transpose(2, 0, 1) / 255 - 0.5) / 0.5


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


ERF = np.vectorize(math.erf, otypes=[np.float32])


def gelu(x):
    return 0.5 * x * (1 + ERF(x / math.sqrt(2)))


def unit(rows):
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)


def merge(x, sizes, weights, pairs, order):
    """Groups of a destination and its sources become their weighted mean, at the destination."""
    total, mass, count = x * weights[:, None], weights.copy(), sizes.copy()
    for source, destination in pairs:
        total[destination] += x[source] * weights[source]
        mass[destination] += weights[source]
        count[destination] += sizes[source]
    return (total / mass[:, None])[order].astype(np.float32), count[order]


def tome(x, keys, sizes, r):
    """Bolya et al., ICLR 2023: even positions into odd ones by the cosine of the mean keys."""
    r = min(r, (len(x) - 1) // 2)
    if r <= 0:
        return x, sizes
    metric = unit(keys.astype(np.float64).mean(0))
    scores = metric[0::2] @ metric[1::2].T
    scores[0] = -np.inf
    best, match = scores.max(1), scores.argmax(1)
    chosen = np.argsort(-best, kind="stable")[:r]
    pairs = [(2 * i, 2 * match[i] + 1) for i in chosen]
    gone = {source for source, _ in pairs}
    order = [i for i in range(0, len(x), 2) if i not in gone] + list(range(1, len(x), 2))
    return merge(x, sizes, sizes.astype(np.float64), pairs, order)


def salience_of(patches):
    sums = softmax(patches @ patches.T).sum(0)
    return (sums - sums.min()) / (sums.max() - sums.min() + 1e-6)


def adamerge(x, sizes, r_max, mu, sigma):
    """arXiv 2605.27465: the first half of the patch tokens into the second, by salience times
    cosine; the count follows the redundancy."""
    patches = x[1:].astype(np.float64)
    n = len(patches)
    if n < 2:
        return x, sizes
    salience = salience_of(patches)
    half = n // 2
    directions = unit(patches)
    scores = salience[:half, None] * (directions[:half] @ directions[half:].T)
    best, match = scores.max(1), scores.argmax(1)
    z = (best.mean() - mu) / max(sigma, 1e-6)
    r = min(int(math.floor(r_max / (1 + math.exp(-z)))), half)
    if r <= 0:
        return x, sizes
    chosen = np.argsort(-best, kind="stable")[:r]
    pairs = [(1 + i, 1 + half + match[i]) for i in chosen]
    gone = set(chosen)
    order = [0] + [1 + i for i in range(half) if i not in gone] + list(range(1 + half, 1 + n))
    weights = np.concatenate([[1.0], salience + 1e-6])
    return merge(x, sizes, weights, pairs, order)


def plus_counts(r, exponent=None):
    """AdaMerge+'s merges per block: as many tokens on entry, in the mean of the blocks, as with r in
    each; block l of L takes (1 - l / L)^p of them, p by how much that is (models/README.md)."""
    patches = (SIDE // PATCH) ** 2
    constant = (DEPTH - 1) / 2
    p = min(max(10 * (r * constant / patches - 0.46), -0.7), 2.0) if exponent is None else exponent
    falling = np.array([(1 - block / DEPTH) ** p for block in range(DEPTH)])
    if exponent is None:
        known = np.array([sum(falling[:block]) for block in range(DEPTH)])  # on entry
        falling = falling * constant / known.mean()
    sums = np.floor(r * np.concatenate([[0], np.cumsum(falling)]) + 0.5)
    return np.diff(sums).astype(int)


def adamerge_plus(x, sizes, count):
    """Even patch tokens into odd ones, by the least growth of the sum of squares within groups of the
    directions of the stream (Ward 1963); size-weighted means."""
    directions = unit(x[1:].astype(np.float64))
    n = len(directions)
    count = min(count, n // 2)
    if n < 2:
        return x, sizes, None
    a, b = sizes[1::2].astype(np.float64)[:, None], sizes[2::2].astype(np.float64)[None, :]
    distances = ((directions[0::2, None] - directions[None, 1::2]) ** 2).sum(-1)
    growth = a * b / (a + b) * distances
    match = growth.argmin(1)
    chosen = np.argsort(growth.min(1), kind="stable")[:count]
    pairs = [(1 + 2 * i, 2 + 2 * match[i]) for i in chosen]
    gone = {source for source, _ in pairs}
    order = [0] + [i for i in range(1, n + 1, 2) if i not in gone] + list(range(2, n + 1, 2))
    redundancy = -growth.min(1).mean()
    x, sizes = merge(x, sizes, sizes.astype(np.float64), pairs, order)
    return x, sizes, (order, dict(pairs), redundancy)


class Model:
    def __init__(self):
        self.w = read_weights(MODEL / "model.safetensors")

    def norm(self, x, name):
        mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
        return (x - mean) / np.sqrt(variance + 1e-6) * self.w[name + ".weight"] + self.w[name + ".bias"]

    def linear(self, x, name):
        return x @ self.w[name + ".weight"].T + self.w[name + ".bias"]

    def embed(self, image):
        grid = SIDE // PATCH
        patches = image.reshape(3, grid, PATCH, grid, PATCH).transpose(1, 3, 0, 2, 4).reshape(grid * grid, -1)
        kernel = self.w["patch_embed.proj.weight"].reshape(DIM, -1)
        tokens = patches @ kernel.T + self.w["patch_embed.proj.bias"]
        return np.concatenate([self.w["cls_token"].reshape(1, DIM), tokens]) + self.w["pos_embed"][0]

    def run(self, image, before=None, between=None, proportional=False):
        """The logits and the FLOPs (paper convention, G)."""
        x = self.embed(image)
        sizes = np.ones(len(x), np.float32)
        flops = 0.0
        for block in range(DEPTH):
            name = f"blocks.{block}."
            flops += 12 * len(x) * DIM**2 + 2 * len(x) ** 2 * DIM
            if before:
                x, sizes = before(x, sizes, block)
            n = len(x)
            qkv = self.linear(self.norm(x, name + "norm1"), name + "attn.qkv")
            q, k, v = qkv.reshape(n, 3, HEADS, HEAD_DIM).transpose(1, 2, 0, 3)
            logits = q @ k.transpose(0, 2, 1) / math.sqrt(HEAD_DIM)
            if proportional:
                logits = logits + np.log(sizes)
            mixed = (softmax(logits) @ v).transpose(1, 0, 2).reshape(n, DIM)
            x = x + self.linear(mixed, name + "attn.proj")
            if between:
                x, sizes = between(x, k, sizes, block)
            hidden = gelu(self.linear(self.norm(x, name + "norm2"), name + "mlp.fc1"))
            x = x + self.linear(hidden, name + "mlp.fc2")
        return self.linear(self.norm(x, "norm")[0], "head"), flops / 1e9


def statistics(r_max):
    for entry in json.loads((MODEL / "stats.json").read_text())["entries"]:
        if entry["r_max"] == r_max:
            return list(zip(entry["mu"], entry["sigma"]))
    sys.exit(f"{MODEL}/stats.json has no entry for r_max {r_max}")


def by_hand(model, method, value, image):
    if method == "tome":
        return model.run(image, between=lambda x, k, s, block: tome(x, k, s, value), proportional=True)
    if method == "adamerge+":
        counts = plus_counts(value)
        between = lambda x, k, s, block: adamerge_plus(x, s, counts[block])[:2]
        return model.run(image, between=between, proportional=True)
    if method == "adamerge":
        stats = statistics(value)
        return model.run(image, before=lambda x, s, block: adamerge(x, s, value, *stats[block]))
    return model.run(image)


def by_program(program, folder, points):
    command = [program, "evaluate", folder, "--dtype", "float32", "--quiet", "--json", "-"]
    command += ["--model", str(MODEL), "--methods", "adamerge,tome,adamerge+"]
    for option, method in (("--r", "tome"), ("--r-max", "adamerge")):
        command += [option, ",".join(str(value) for name, value in points if name == method)]
    environment = dict(os.environ, OMP_WAIT_POLICY="passive")
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    if result.returncode != 0:
        sys.exit(result.stderr)
    found = {}
    for point in json.loads(result.stdout)["points"]:
        value = point["settings"].get("r_max" if point["method"] == "adamerge" else "r", 0)
        found[(point["method"], value)] = (point["top1"], point["flops_paper"])
    return found


class Trace:
    """AdaMerge+ in every block, and which patches it brought together."""

    def __init__(self, counts):
        self.counts = counts
        self.token_of = list(range(1, (SIDE // PATCH) ** 2 + 1))  # position of each patch's token
        self.layers = []

    def __call__(self, x, keys, sizes, block):
        layer = {"index": block, "tokens_in": len(x)}
        patches = x[1:].astype(np.float64)
        merged, sizes, done = adamerge_plus(x, sizes, self.counts[block])
        if done:
            salience = salience_of(patches)
            layer["salience"] = [round(float(salience[token - 1]), 6) for token in self.token_of]
            order, into, redundancy = done
            layer["redundancy"] = round(float(redundancy), 8)
            place = {old: new for new, old in enumerate(order)}
            self.token_of = [place[into.get(token, token)] for token in self.token_of]
        numbers = {}
        layer["groups"] = [numbers.setdefault(token, len(numbers)) for token in self.token_of]
        layer["merged"] = len(x) - len(merged)
        self.layers.append(layer)
        return merged, sizes


def read_ppm(path):
    magic, size, most, pixels = path.read_bytes().split(b"\n", 3)
    if magic != b"P6" or size.split() != [str(SIDE).encode()] * 2 or most != b"255":
        sys.exit(f"{path}: not a PPM of {SIDE} x {SIDE} pixels")
    picture = np.frombuffer(pixels, np.uint8).reshape(SIDE, SIDE, 3)
    return (picture.astype(np.float32).transpose(2, 0, 1) / 255 - 0.5) / 0.5


def write_plus_cases(folder):
    model, cases = Model(), []
    few_and_many = ({"r": 4}, {"r": 22})
    between = ({"r": 14}, {"r": 9, "schedule": "decay", "decay": 1.0})
    for number, path in enumerate(sorted(folder.glob("drawn-*.ppm"))):
        for settings in between if number % 2 else few_and_many:
            trace = Trace(plus_counts(settings["r"], settings.get("decay")))
            logits, flops = model.run(read_ppm(path), between=trace, proportional=True)
            cases.append({"image": path.name, "settings": {"method": "adamerge+", **settings},
                          "logits": [round(float(value), 6) for value in logits],
                          "flops_paper": round(flops, 9), "layers": trace.layers})
    (folder / "adamerge-plus.json").write_text(json.dumps(cases, separators=(",", ":")) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--plus-cases", type=Path, metavar="FOLDER")
    parser.add_argument("--per-class", type=int, default=30)
    parser.add_argument("--adamerge", default=str(MODEL.parents[1] / "build/bin/adamerge"))
    options = parser.parse_args()
    if options.plus_cases:
        return write_plus_cases(options.plus_cases)
    if options.data is None:
        parser.error("a folder of CIFAR-10's test images is needed")
    labels = json.loads((MODEL / "config.json").read_text())["pretrained_cfg"]["label_names"]
    files = []
    for label, name in enumerate(labels):
        own = sorted((options.data / name).glob("*"))[: options.per_class]
        if not own:
            sys.exit(f"{options.data}/{name} holds no image: give a folder with one sub-folder per class")
        files += [(path, label) for path in own]

    points = [("none", 0), ("tome", 8), ("tome", 14), ("tome", 20), ("adamerge", 16), ("adamerge", 28),
              ("adamerge+", 8), ("adamerge+", 14), ("adamerge+", 20)]
    with tempfile.TemporaryDirectory() as folder:
        for path, label in files:
            target = Path(folder) / labels[label] / path.name
            target.parent.mkdir(exist_ok=True)
            target.symlink_to(path.resolve())
        programs = by_program(options.adamerge, folder, points)

    model = Model()
    images = [read_image(path) for path, _ in files]
    agree = True
    print(f"{len(files)} images         NumPy: top-1 %   FLOPs G   adamerge: top-1 %   FLOPs G")
    for method, value in points:
        results = [by_hand(model, method, value, image) for image in images]
        right = sum(logits.argmax() == label for (logits, _), (_, label) in zip(results, files))
        top1, flops = 100 * right / len(files), sum(flops for _, flops in results) / len(files)
        other_top1, other_flops = programs[(method, value)]
        same = abs(top1 - other_top1) < 1e-9 and abs(flops - other_flops) < 1e-6
        agree = agree and same
        print(f"{method:9} {value:3} {top1:22.2f} {flops:11.5f} {other_top1:17.2f} {other_flops:11.5f}"
              f"   {'equal' if same else 'DIFFERENT'}")
    sys.exit(0 if agree else 1)


if __name__ == "__main__":
    main()
