#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""`evaluate` on very many small images: its memory stays flat.

    soak.py ADAMERGE MODEL [--seconds S] [--growth MB]

One process evaluates several methods on images of many sizes until the time is up, which begins with
the first batch, then gets a SIGTERM. After a quarter of the time it may not grow by more than so many
MB.
"""

import argparse
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

PICTURES = 200


def make_images(folder, count):
    """Links to a few pictures of several sizes, among them some that cannot be read."""
    draw = random.Random(3)
    pictures = folder / "pictures"
    pictures.mkdir()
    for i in range(PICTURES):
        width, height = draw.randrange(8, 120), draw.randrange(8, 120)
        content = b"P6 %d %d 255\n" % (width, height) + draw.randbytes(3 * width * height)
        (pictures / f"{i}.ppm").write_bytes(content[:100] if i % 50 == 49 else content)
    images = folder / "images"
    images.mkdir()
    for i in range(count):
        (images / f"{i:07}.ppm").symlink_to(pictures / f"{i % PICTURES}.ppm")
    return images


def resident(process):
    """MB."""
    for line in pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--growth", type=float, default=30)
    parser.add_argument("--rate", type=float, default=1000, help="images a second that are there to be evaluated; "
                        "two fast cores do about 1000 of 16 x 16 pixels")
    parser.add_argument("--size", type=int, default=16, help="pixels a side")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="adamerge-soak-") as name:
        folder = pathlib.Path(name)
        images = make_images(folder, int(options.rate * max(options.seconds, 20)))
        command = [options.program, "evaluate", images, "--unlabelled", "--model", options.model,
                   "--input-size", options.size, "--methods", "adamerge,tome,pitome,dsm", "--quiet",
                   "--json", folder / "out.json"]
        process = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE,
                                   env=dict(os.environ, OMP_WAIT_POLICY="passive"))
        state = folder / "out.json.partial"
        while process.poll() is None and not state.exists():
            time.sleep(0.1)
        start = time.monotonic()
        samples = []
        while process.poll() is None and time.monotonic() - start < options.seconds:
            time.sleep(min(1, options.seconds / 50))
            samples.append(resident(process))
        ended = process.poll() is not None
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
    settled = samples[len(samples) // 4:]
    growth = max(settled) - settled[0]
    print(f"{len(samples)} samples in {time.monotonic() - start:.0f} s: {settled[0]:.0f} MB after a "
          f"quarter of the time, {max(settled):.0f} MB at most, {settled[-1]:.0f} MB at the end; "
          f"{errors.decode().strip()}")
    if ended:
        sys.exit("soak.py: it ended before the time was up")
    if growth > options.growth:
        sys.exit(f"soak.py: it grew by {growth:.0f} MB")


if __name__ == "__main__":
    main()
