#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What merge() and inspect() cost from Python beside the same call in C++, in turns, in CPU time.

    python_cost.py BUILD_FOLDER [--pairs N] [--only WORD]

For merge(): each method on what it compares in a ViT-B (12 heads of width 64): the mean of the attention keys, of
width 64, or the tokens, of width 768. "Python" is the call and its `groups`; "all" reads every part.
"""

import argparse
import functools
import os
import statistics
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
# Method, its settings, the width of what it compares, a block where it acts.
METHODS = [("tome", {"r": 16}, 64, 0), ("tofu", {"r": 16}, 64, 0), ("dsm", {}, 64, 5),
           ("pitome", {"keep_ratio": 0.9}, 64, 0), ("atc", {}, 64, 0), ("adamerge", {"r_max": 16}, 768, 0),
           ("adamerge+", {"r": 16}, 768, 0), ("cubistmerge", {}, 768, 11), ("structsam", {}, 768, 0),
           ("prunesid", {}, 768, 3)]
PARTS = ("groups", "sizes", "order", "positions", "merges", "similarity", "dropped", "salience", "redundancy")


def compare(pairs, python, native, times):
    """Medians in microseconds, and the median of how much more Python took in a pair."""
    ours, theirs = [], []
    for _ in range(pairs):
        begin = time.thread_time_ns()
        for _ in range(times):
            python()
        ours.append((time.thread_time_ns() - begin) / times / 1e3)
        theirs.append(native(times) * 1e6)
    more = statistics.median(a / b for a, b in zip(ours, theirs)) - 1
    return statistics.median(ours), statistics.median(theirs), more


def merging(adamerge, cost, options):
    print(f"{'merge':12} {'tokens':>6} {'C++ us':>9} {'Python us':>9} {'more':>7} {'all':>7}")
    for method, settings, width, block in METHODS:
        for tokens in (65, 197, 577):
            if options.only not in method:
                continue
            keys = np.random.default_rng(0).standard_normal((tokens, width)).astype(np.float32)
            written = [(name, str(value)) for name, value in settings.items()]
            native = functools.partial(cost.Merging(method, written, tokens, width, block).seconds, keys)

            def whole(parts):
                merged = adamerge.merge(method, keys, prefix=1, block=block, **settings)
                for part in parts:
                    getattr(merged, part)

            whole(PARTS)
            took = native(1)
            times = max(1, min(20, round(0.002 / took)))
            pairs = max(20, min(options.pairs, round(1 / (took * times))))
            mine, theirs, more = compare(pairs, lambda: whole(PARTS[:1]), native, times)
            everything = compare(pairs, lambda: whole(PARTS), native, times)[2]
            print(f"{method:12} {tokens:6} {theirs:9.1f} {mine:9.1f} {more:+7.1%} {everything:+7.1%}", flush=True)


def inspecting(adamerge, cost, options):
    for name in ("vit-tiny-cifar10", "vit-small-cifar10"):
        folder, picture = ROOT / "models" / name, ROOT / "resources" / "samples" / "bird.png"
        model = adamerge.Model(folder, dtype="float32", threads=1)
        native = cost.Inspecting(str(folder), 1)
        ours, theirs = [], []
        for _ in range(max(3, options.pairs // 20)):
            begin = time.process_time_ns()
            run = model.inspect(picture, method="tome", r=16)
            run.blocks, run.logits, run.flops
            ours.append((time.process_time_ns() - begin) / 1e6)
            theirs.append(native.seconds(str(picture), "tome", [("r", "16")]) * 1e3)
        more = statistics.median(a / b for a, b in zip(ours, theirs)) - 1
        print(f"inspect, {name}: C++ {statistics.median(theirs):.1f} ms, Python {statistics.median(ours):.1f} ms, "
              f"{more:+.1%}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=Path)
    parser.add_argument("--pairs", type=int, default=400)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    os.environ.update(ADAMERGE_CORE="module", ADAMERGE_MODULE=str(options.build / "python"))
    sys.path[:0] = [str(ROOT / "app" / "python"), str(options.build / "python")]
    import _cost
    import adamerge
    merging(adamerge, _cost, options)
    if not options.only:
        inspecting(adamerge, _cost, options)


if __name__ == "__main__":
    main()
