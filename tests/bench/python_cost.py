#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What merge() and inspect() cost from Python beside the same call in C++, in turns, in CPU time.

    python_cost.py BUILD_FOLDER [--pairs N] [--only WORD]

For merge(): each method on what it compares in a ViT-B (12 heads of width 64): the mean of the attention keys, of
width 64, or the tokens, of width 768. "more" is what Python adds to the call, "groups" with its `groups`, "all" with
every part. Of each the fastest tenth's limit is taken: other programs on the machine empty the caches of the rest.
"""

import argparse
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
           ("adamerge+", {"r": 16}, 768, 0), ("cubistmerge", {}, 768, 3), ("structsam", {}, 768, 0),
           ("prunesid", {}, 768, 6)]
PARTS = ("groups", "sizes", "order", "positions", "merges", "similarity", "dropped", "salience", "redundancy")


def tenth(times):
    return statistics.quantiles(times, n=10)[0]


def in_turns(pairs, functions):
    """Of each function, which gives seconds, the fastest tenth's limit."""
    taken = [[] for _ in functions]
    for _ in range(pairs):
        for function, times in zip(functions, taken):
            times.append(function())
    return [tenth(times) for times in taken]


def timed(statement, times, names):
    """A function that runs the statement so often and gives the seconds of one."""
    code = compile(f"for _ in range({times}): {statement}", "statement", "exec")

    def run():
        begin = time.thread_time_ns()
        exec(code, names)
        return (time.thread_time_ns() - begin) / times / 1e9
    return run


def merging(adamerge, cost, options):
    print(f"{'merge':12} {'tokens':>6} {'C++ us':>9} {'Python us':>9} {'more':>7} {'groups':>7} {'all':>7}")
    for method, settings, width, block in METHODS:
        for tokens in (65, 197, 577):
            if options.only not in method:
                continue
            keys = np.random.default_rng(0).standard_normal((tokens, width)).astype(np.float32)
            written = [(name, str(value)) for name, value in settings.items()]
            native = cost.Merging(method, written, tokens, width, block)
            typed = "".join(f", {name}={value!r}" for name, value in settings.items())
            call = f"merge({method!r}, keys, prefix=1, block={block}{typed})"
            parts = "; ".join(f"m.{part}" for part in PARTS)
            names = {"merge": adamerge.merge, "keys": keys}
            merged = eval(call, names)
            if len(merged.order) == tokens:
                sys.exit(f"{method} changes nothing in block {block}")
            times = max(1, min(20, round(0.002 / native.seconds(keys, 3))))
            pairs = max(30, min(options.pairs, round(2 / (native.seconds(keys, 3) * times))))
            theirs, *ours = in_turns(pairs, [
                lambda: native.seconds(keys, times), timed(call, times, names),
                timed(f"{call}.groups", times, names), timed(f"m = {call}; {parts}", times, names)])
            more = " ".join(f"{mine / theirs - 1:+7.1%}" for mine in ours)
            print(f"{method:12} {tokens:6} {theirs * 1e6:9.1f} {ours[0] * 1e6:9.1f} {more}", flush=True)


def inspecting(adamerge, cost, options):
    for name in ("vit-tiny-cifar10", "vit-small-cifar10"):
        folder, picture = ROOT / "models" / name, ROOT / "resources" / "samples" / "bird.png"
        model = adamerge.Model(folder, dtype="float32", threads=1)
        native = cost.Inspecting(str(folder), 1)

        def ours():
            begin = time.process_time_ns()
            run = model.inspect(picture, method="tome", r=16)
            run.blocks, run.logits, run.flops
            return (time.process_time_ns() - begin) / 1e9

        pairs = max(10, options.pairs // 8)
        theirs, mine = in_turns(pairs, [lambda: native.seconds(str(picture), "tome", [("r", "16")]), ours])
        print(f"inspect, {name}: C++ {theirs * 1e3:.1f} ms, Python {mine * 1e3:.1f} ms, {mine / theirs - 1:+.1%}",
              flush=True)


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
