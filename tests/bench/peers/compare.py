#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares adamerge's speed with what people run today: timm and ToMe's own code, as they are and
compiled, OpenVINO, ONNX Runtime.

Every program gets the same random weights and images, and has to give the same outputs before it is
measured (float32: all logits within 1e-3; bfloat16: within a tenth of their standard deviation).
Then all take turns, round after round, each turn several forward passes; a ratio is a peer's median
time over ours in the same round, so that what slows the machine for a while slows both sides of it.
Peers that are not installed are named, with what they need, and left out; nothing is downloaded.
Versions and which BLAS they use stand in the JSON. MB is the most memory that a program has had, from
its start on and at all batch sizes so far.

Keep the machine quiet meanwhile. For example:

  NODE_PATH=~/ort/node_modules PYTHONPATH=~/timm:~/ToMe compare.py --batch 1,8 --json peers.json
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
from datetime import datetime, timezone
from pathlib import Path

try:
    import numpy  # noqa: F401
except ImportError:
    sys.exit("compare.py needs NumPy (Debian: python3-numpy)")

import figures
import peer_list
import random_model
from session import Failed, Ours, PeerProcess

DTYPES = ("float32", "bfloat16")
OUR_LABELS = {"none": "ours, unmerged", "tome": "ours, ToMe r {r}",
              "adamerge": "ours, AdaMerge r_max {r_max}"}
# Whatever changes how fast a library runs.
ENVIRONMENT = ("OMP_", "GOMP_", "KMP_", "OPENBLAS_", "MKL_", "DNNL_", "ONEDNN_", "ADAMERGE_")
IMAGES_PER_TURN = 8
LARGE_SIDE = 512  # above it one pass a turn: it takes seconds


def numbers(text: str) -> list[int]:
    try:
        values = [int(part) for part in text.split(",")]
    except ValueError:
        values = []
    if not values or min(values) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is no list of whole numbers above 0, as 1,8")
    return values


def architecture(text: str) -> str:
    try:
        random_model.architecture(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def positive(text: str) -> int:
    values = numbers(text)
    if len(values) != 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not one whole number above 0")
    return values[0]


def dtypes(text: str) -> list[str]:
    names = text.split(",")
    for name in names:
        if name not in DTYPES:
            raise argparse.ArgumentTypeError(f"'{name}' is none of {', '.join(DTYPES)}")
    return names


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    root = peer_list.HERE.parents[2]
    parser.add_argument("--architecture", default="vit_base_patch16_224",
                        type=architecture, metavar="NAME",
                        help="vit_{tiny,small,base}_patch16_SIDE (default vit_base_patch16_224)")
    parser.add_argument("--dtype", type=dtypes, default=list(DTYPES), metavar="LIST",
                        help="float32,bfloat16 (default: both)")
    parser.add_argument("--batch", type=numbers, default=[1, 8], metavar="LIST",
                        help="images at once (default 1,8)")
    parser.add_argument("--rounds", type=positive, default=10, metavar="N", help="default 10")
    parser.add_argument("--threads", type=positive, default=2, metavar="N",
                        help="of every program (default 2)")
    parser.add_argument("--r", type=positive, default=8, metavar="N",
                        help="ToMe's r; AdaMerge is measured at ToMe's FLOPs (default 8)")
    parser.add_argument("--device", default="cpu", metavar="NAME",
                        help="cpu or cuda; on a GPU only the PyTorch peers run (default cpu)")
    parser.add_argument("--peers", metavar="LIST", default="",
                        help="some of " + ",".join(peer.key for peer in peer_list.PEERS)
                        + " (default: all that are installed)")
    parser.add_argument("--adamerge", type=Path, default=root / "build" / "bin" / "adamerge",
                        metavar="PATH", help="our program (default: %(default)s)")
    parser.add_argument("--folder", type=Path, metavar="DIR",
                        help="keep weights, images and the ONNX file here for the next time "
                        "(default: a temporary folder)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures")
    options = parser.parse_args()
    wanted = [key for key in options.peers.split(",") if key]
    unknown = set(wanted) - {peer.key for peer in peer_list.PEERS}
    if unknown:
        parser.error(f"argument --peers: there is no '{sorted(unknown)[0]}'")
    if options.json and not os.access(options.json.parent, os.W_OK):
        parser.error(f"argument --json: nothing can be written into '{options.json.parent}'")
    options.wanted = wanted
    return options


def available(options: argparse.Namespace, onnx_file: Path) -> list[peer_list.Peer]:
    """The peers that can run here. Says what the others lack."""
    found = []
    for peer in peer_list.PEERS:
        if options.wanted and peer.key not in options.wanted:
            continue
        if options.device != "cpu" and not peer.gpu:
            continue
        lacks = peer_list.missing(peer, onnx_file)
        if lacks:
            print(f"left out: {peer.label} needs " + "; ".join(lacks), file=sys.stderr)
        else:
            found.append(peer)
    return found


def export_onnx(folder: Path) -> None:
    command = [sys.executable, str(peer_list.HERE / "export_onnx.py"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False,
                          env=peer_list.environment())
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()
        raise Failed(f"the export to ONNX failed: {said[-1] if said else done.returncode}")


class Comparison:
    """All programs at one precision, loaded and checked."""

    def __init__(self, options: argparse.Namespace, folder: Path, dtype: str,
                 peers: list[peer_list.Peer]) -> None:
        self._options = options
        self.ours = Ours(options.adamerge, folder, dtype, options.threads, options.device,
                         options.r)
        self._peers: list[tuple[peer_list.Peer, PeerProcess, str]] = []
        self.failures: list[str] = []
        for peer in peers:
            if peer.dtypes and dtype not in peer.dtypes:
                continue
            try:
                self._start(peer, folder, dtype)
            except Failed as failure:
                self.failures.append(str(failure))
                print(f"left out: {failure}", file=sys.stderr)

    def _start(self, peer: peer_list.Peer, folder: Path, dtype: str) -> None:
        options = self._options
        if peer.needs_onnx() and not (folder / "model.onnx").exists():
            export_onnx(folder)
        expected = self.ours.logits(peer.method)
        command = peer.command(folder, dtype, options.threads, options.device, options.r)
        process = PeerProcess(peer.label, command, peer_list.environment())
        problem = figures.disagreement(expected, process.logits(), dtype)
        if problem:
            self.failures.append(f"{peer.label}, {dtype}: {problem}")
        self._peers.append((peer, process, problem))

    def about(self) -> dict[str, dict]:
        return {peer.key: process.about for peer, process, _ in self._peers}

    def measure(self, batch: int) -> list[figures.Row]:
        side = random_model.architecture(self._options.architecture).side
        usual = IMAGES_PER_TURN * random_model.USUAL_SIDE**2 // (batch * side**2)
        passes = max(2 if side <= LARGE_SIDE else 1, usual)
        names = {"r": self._options.r, "r_max": self.ours.r_max}
        ours = {method: figures.Row(label.format(**names), method, True)
                for method, label in OUR_LABELS.items()}
        peers = [figures.Row(peer.label, peer.method, False, problem=problem)
                 for peer, _, problem in self._peers]

        def our_turn() -> None:
            for method, measured in self.ours.measure(batch, passes).items():
                ours[method].add(measured)
                ours[method].flops = measured["flops"]

        turns = [our_turn]
        for row, (_, process, _) in zip(peers, self._peers):
            process.measure(batch, min(2, passes))
            turns.append(lambda row=row, process=process: row.add(process.measure(batch, passes)))
        for index in range(self._options.rounds):
            # Whoever comes first in one round comes last in the next: no place is better.
            first = index % len(turns)
            for turn in turns[first:] + turns[:first]:
                turn()
        return [*ours.values(), *peers]

    def close(self) -> None:
        for _, process, _ in self._peers:
            process.close()


def write(file: Path, record: dict) -> None:
    """Beside it first: a reader never finds half a file."""
    partial = file.with_name(file.name + ".part")
    partial.write_text(json.dumps(record, indent=1) + "\n")
    partial.replace(file)


def run(options: argparse.Namespace, folder: Path) -> int:
    if not (folder / "input.f32").exists():
        random_model.write_model(folder, random_model.architecture(options.architecture))
    peers = available(options, folder / "model.onnx")
    record: dict = {
        "peers_format": 1, "command": shlex.join(sys.argv), "architecture": options.architecture,
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "threads": options.threads, "device": options.device, "rounds": options.rounds,
        "environment": {name: value for name, value in os.environ.items()
                        if name.startswith(ENVIRONMENT)},
        "results": [], "failures": [],
    }
    for dtype in options.dtype:
        comparison = Comparison(options, folder, dtype, peers)
        record["machine"] = comparison.ours.machine
        record["failures"] += comparison.failures
        try:
            for batch in options.batch:
                rows = comparison.measure(batch)
                print(f"{options.architecture}, {dtype}, batch {batch}, {options.threads} threads, "
                      f"{options.rounds} rounds; / none, / tome, / adamerge: time over ours")
                print(figures.table(rows) + "\n", flush=True)
                record["results"].append({"dtype": dtype, "batch": batch,
                                          "about": comparison.about(),
                                          "rows": figures.as_json(rows)})
                if options.json:
                    write(options.json, record)
        finally:
            comparison.close()
    return 1 if record["failures"] else 0


def main() -> int:
    options = parse()
    try:
        if options.folder:
            return run(options, options.folder / options.architecture)
        with tempfile.TemporaryDirectory(prefix="adamerge-peers-") as folder:
            return run(options, Path(folder) / options.architecture)
    except (Failed, OSError) as error:
        print(f"compare.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("compare.py: interrupted", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
