#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIGTERM and Ctrl-C wherever the program is: it ends soon, with one sentence.

    stops.py ADAMERGE [--seconds S] [--times N] [--seed N] [--only WORD]

Each command line is begun again and again and gets a signal at a random moment. What is measured is
the time from the signal to the end of the process.
"""

import argparse
import json
import pathlib
import random
import signal
import struct
import subprocess
import sys
import tempfile
import time

import claims


def big_model(folder):
    """300 MB of weights that are not on the disk: the file has a hole."""
    folder.mkdir()
    dim, depth = 1024, 12
    header, end = {}, 0

    def add(name, *shape):
        nonlocal end
        size = 2
        for side in shape:
            size *= side
        header[name] = {"dtype": "F16", "shape": shape, "data_offsets": [end, end + size]}
        end += size

    add("patch_embed.proj.weight", dim, 3, 16, 16)
    add("patch_embed.proj.bias", dim)
    add("cls_token", 1, 1, dim)
    add("pos_embed", 1, 197, dim)
    for block in range(depth):
        for name, shape in (("norm1.weight", [dim]), ("norm1.bias", [dim]),
                            ("attn.qkv.weight", [3 * dim, dim]), ("attn.qkv.bias", [3 * dim]),
                            ("attn.proj.weight", [dim, dim]), ("attn.proj.bias", [dim]),
                            ("norm2.weight", [dim]), ("norm2.bias", [dim]),
                            ("mlp.fc1.weight", [4 * dim, dim]), ("mlp.fc1.bias", [4 * dim]),
                            ("mlp.fc2.weight", [dim, 4 * dim]), ("mlp.fc2.bias", [dim])):
            add(f"blocks.{block}.{name}", *shape)
    add("norm.weight", dim)
    add("norm.bias", dim)
    add("head.weight", 2, dim)
    add("head.bias", 2)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(folder / "model.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + end)
    claims.write_config(folder, [224, 224], num_heads=16, patch_size=16, embed_dim=dim, depth=depth)
    return folder


def cases(work):
    """(name, a function that makes the arguments, seconds that it is known to go on)."""
    picture = claims.text(work / "picture.ppm", b"P6 8 8 255\n" + b"\x40" * 192)
    images = work / "images"
    for label in ("a", "b"):
        (images / label).mkdir(parents=True)
        for i in range(20):
            (images / label / f"{i}.ppm").symlink_to(picture)
    small = claims.write_model(work / "small")
    wide = dict(dim=64, heads=2, mlp=128, depth=4, patch=4)
    many = claims.write_model(work / "many", size=[1024, 1024], **wide)
    most = claims.write_model(work / "most", size=[4000, 4000], **wide)
    fewer = claims.write_model(work / "fewer", size=[256, 256], **wide)

    def inspect(model, *options, image=picture):
        return lambda: ["inspect", image, "--model", model, *options]

    def large():
        return inspect(small, "--method", "none", image=claims.text(
            work / "large.ppm", b"P6 9000 9000 255\n" + b"\x40" * 243_000_000))()

    def crowd():
        folder = work / "crowd"
        folder.mkdir()
        for i in range(100_000):
            (folder / f"{i}.ppm").symlink_to(picture)
        return ["evaluate", folder, "--unlabelled", "--model", small, "--method", "none"]

    for method in ("none", "tome", "adamerge", "pitome", "dsm"):
        yield f"65,536 tokens in a block, {method}", inspect(many, "--method", method), 8
    for method in ("none", "adamerge"):
        yield f"1,000,000 tokens in a block, {method}", inspect(most, "--method", method), 30
    for method in ("atc", "prunesid", "focus", "structsam"):
        yield f"4,096 tokens in a block, {method}", inspect(fewer, "--method", method), 3
    yield "evaluate, 65,536 tokens", lambda: [
        "evaluate", images, "--unlabelled", "--model", many, "--method", "tome", "--r", "0,8",
        "--json", work / "e.json"], 8
    yield "calibrate, 65,536 tokens", lambda: [
        "calibrate", images, "--model", many, "-o", work / "stats.json", "--r-max", "4"], 8
    yield "300 MB of weights", lambda: inspect(big_model(work / "big"))(), 1.5
    yield "9,000 counts", lambda: [
        "evaluate", images, "--unlabelled", "--model", many, "--method", "tome", "--r",
        ",".join(f"{i}" for i in range(1, 9000))], 1.5
    yield "a picture of 243 MB", large, 1.5
    yield "a folder of 100,000 pictures", crowd, 1.5
    yield "bench", lambda: ["bench", "--architecture", "vit_base_patch16_224", "--runs", "20"], 4
    yield "schedule, 65,536 tokens", lambda: [
        "schedule", "--images", images, "--model", many, "--flops", "1"], 4


def answers(pid):
    """Before main() has begun, a signal just ends it."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("SigBlk:"):
            return int(line.split()[1], 16) >> (signal.SIGTERM - 1) & 1 == 1
    return False


def stop(program, arguments, moment, number):
    """Seconds until it ended, its status and what it said; seconds is None where it was done before."""
    process = subprocess.Popen([program, *map(str, arguments)], stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, cwd=tempfile.gettempdir())
    while process.poll() is None and not answers(process.pid):
        time.sleep(0.01)
    try:
        _, errors = process.communicate(timeout=moment)
        return None, process.returncode, errors.decode()
    except subprocess.TimeoutExpired:
        pass
    process.send_signal(number)
    start = time.monotonic()
    try:
        _, errors = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        _, errors = process.communicate()
    return time.monotonic() - start, process.returncode, errors.decode()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--seconds", type=float, default=0.1)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    options.program = options.program.resolve()
    draw = random.Random(options.seed)
    failed = 0
    print(f"{'where':40} {'stops':>5} {'median ms':>9} {'longest ms':>10}  answer")
    with tempfile.TemporaryDirectory(prefix="adamerge-stops-") as folder:
        for name, make, goes_on in cases(pathlib.Path(folder)):
            if options.only not in name:
                continue
            arguments = make()
            times, answers = [], set()
            for i in range(options.times):
                seconds, status, errors = stop(options.program, arguments,
                                               draw.uniform(0, goes_on),
                                               (signal.SIGINT, signal.SIGTERM)[i % 2])
                if seconds is None:
                    continue
                times.append(seconds)
                lines = [line for line in errors.splitlines() if "warning: " not in line]
                good = status == 1 and len(lines) == 1 and "interrupted" in lines[0]
                answers.add(lines[0] if good else f"FAILED: status {status}, {errors.strip()!r}")
            good = times and max(times) <= options.seconds and not any("FAILED" in a for a in answers)
            failed += not good
            times = sorted(times) or [float("nan")]
            print(f"{name:40} {len(times):5} {1000 * times[len(times) // 2]:9.0f} "
                  f"{1000 * times[-1]:10.0f}  {'' if good else 'FAILED: '}"
                  f"{'; '.join(sorted(answers)[:2])[:150]}", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
