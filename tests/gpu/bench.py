#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast the engine is beside PyTorch, on one device, with the same weights and images.

Loads the engine (bench_library.cpp) into PyTorch's own process. For each model, precision and batch
size our unmerged network, ToMe, AdaMerge and PiToMe at equal FLOPs take turns with the same network
in PyTorch, eager and compiled, and with ToMe as its authors write it (peers.py); what is timed begins
with images on the device and ends with logits on the host. The outputs are compared first. What runs
when is ordered by what it tells, and what the time does not suffice for is named.

Each result is a line of JSON on standard output as soon as it is there; --json FILE collects them.
kit.py runs this; by hand:

  bench.py --library build-engine/bin/libadamerge_bench.so --device cuda --json bench.json
"""

from __future__ import annotations

import argparse
import collections
import copy
import ctypes
import json
import statistics
import struct
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

CLASSES = 1000
PATCH = 16
# Images that decide AdaMerge's setting and that the outputs are compared on.
IMAGES = 16


@dataclass(frozen=True)
class Model:
    """A plain ViT with patches of 16; `r` tokens merge in every block under ToMe."""

    name: str
    dim: int
    depth: int
    size: int
    r: int

    @property
    def heads(self) -> int:
        return self.dim // 64


MODELS = (
    Model("vit_base_patch16_224", 768, 12, 224, 8),
    Model("vit_small_patch16_224", 384, 12, 224, 8),
    Model("vit_large_patch16_224", 1024, 24, 224, 8),
    Model("vit_base_patch16_384", 768, 12, 384, 23),
)
QUICK_MODELS = (Model("vit_tiny_patch16_224", 192, 12, 224, 8),)

# As the record names them; tf32 is float32 whose products a GPU may round to 19 bits.
PRECISIONS = ("bfloat16", "float16", "float32", "tf32")


def dtype_of(precision: str) -> str:
    return "float32" if precision == "tf32" else precision


class Library:
    """bench_library.cpp."""

    def __init__(self, file: Path) -> None:
        self._c = ctypes.CDLL(str(file))
        for name in ("error", "images", "forward", "run", "match"):
            getattr(self._c, "adamerge_" + name).restype = ctypes.c_char_p
        self._c.adamerge_open.restype = ctypes.c_void_p

    def open(self, folder: Path, device: str, dtype: str, threads: int) -> Session:
        handle = self._c.adamerge_open(str(folder).encode(), device.encode(), dtype.encode(),
                                       ctypes.c_int(threads))
        if not handle:
            raise RuntimeError(self._c.adamerge_error().decode())
        return Session(self, handle)

    def call(self, name: str, *arguments):
        answer = getattr(self._c, "adamerge_" + name)(*arguments)
        if answer is None:
            raise RuntimeError(self._c.adamerge_error().decode())
        return json.loads(answer)

    def close(self, handle: int) -> None:
        self._c.adamerge_close(ctypes.c_void_p(handle))


class Session:
    """A model of ours at one precision."""

    def __init__(self, library: Library, handle: int) -> None:
        self._library = library
        self._handle = handle

    def close(self) -> None:
        self._library.close(self._handle)

    def _call(self, name: str, *arguments):
        return self._library.call(name, ctypes.c_void_p(self._handle), *arguments)

    def keep(self, images) -> None:
        self._call("images", ctypes.c_void_p(images.data_ptr()), ctypes.c_int(len(images)))

    def forward(self, choice: dict, images, logits=None, timed: bool = False) -> dict:
        return self._call("forward", json.dumps(choice).encode(),
                          ctypes.c_void_p(images.data_ptr()), ctypes.c_int(len(images)),
                          ctypes.c_void_p(logits.data_ptr() if logits is not None else None),
                          ctypes.c_int(timed))

    def run(self, choice: dict, count: int) -> dict:
        return self._call("run", json.dumps(choice).encode(), ctypes.c_int(count),
                          ctypes.c_void_p(None))

    def match(self, method: str, flops: float) -> dict:
        return self._call("match", method.encode(), ctypes.c_double(flops))


def write_safetensors(file: Path, tensors: dict) -> None:
    header: dict[str, object] = {}
    offset = 0
    for name, tensor in tensors.items():
        end = offset + 4 * tensor.numel()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with file.open("wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        for tensor in tensors.values():
            out.write(ctypes.string_at(tensor.data_ptr(), 4 * tensor.numel()))


def write_model(folder: Path, model: Model):
    """A folder as the engine loads it, with random weights; the same in PyTorch."""
    import torch

    import peers

    generator = torch.Generator().manual_seed(1)
    network = peers.Vit(model.dim, model.depth, model.heads, PATCH, model.size, CLASSES)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith("bias"):
                parameter.zero_()
            elif "norm" in name:
                parameter.fill_(1)
            else:
                parameter.normal_(0, 0.02, generator=generator)
    folder.mkdir(parents=True, exist_ok=True)
    write_safetensors(folder / "model.safetensors",
                      {name: tensor.contiguous() for name, tensor in network.state_dict().items()})
    config = {"architecture": model.name, "num_classes": CLASSES,
              "pretrained_cfg": {"input_size": [3, model.size, model.size], "crop_pct": 1.0,
                                 "interpolation": "bicubic", "mean": [0.5] * 3, "std": [0.5] * 3}}
    (folder / "config.json").write_text(json.dumps(config))
    return network.eval()


def make_images(count: int, size: int):
    """Smooth blobs and a little grain, as photographs have; every image another. Float32."""
    import torch

    generator = torch.Generator().manual_seed(2)
    coarse = torch.rand(count, 3, 7, 7, generator=generator) * 2 - 1
    smooth = torch.nn.functional.interpolate(coarse, (size, size))
    grain = torch.randn(count, 3, size, size, generator=generator) * 0.1
    return (smooth + grain).clamp(-1, 1).contiguous()


def spread(values: list[float]) -> dict[str, float]:
    if len(values) == 1:
        return {"median": values[0], "lower_quartile": values[0], "upper_quartile": values[0]}
    lower, median, upper = statistics.quantiles(values, n=4, method="inclusive")
    return {"median": median, "lower_quartile": lower, "upper_quartile": upper}


def agreement(ours, other, precision: str) -> dict[str, object]:
    """float32: all logits within 1e-3. Else the cosine of each image's logits, whose smallest must
    be 0.98: a rounding may decide a merge."""
    import torch

    largest = float((ours - other).abs().max())
    cosine = float(torch.nn.functional.cosine_similarity(ours, other).min())
    # Not the other way round, which NaN would pass.
    good = largest <= 1e-3 if precision == "float32" else cosine >= 0.98
    return {"largest_difference": largest, "smallest_cosine": cosine, "agrees": good}


@dataclass
class Row:
    """Something that is timed: whole passes of it, logits on the host at their end."""

    name: str
    method: str
    ours: bool
    work: object
    choice: dict | None = None
    flops: float = 0


class Bench:
    def __init__(self, options: argparse.Namespace) -> None:
        import torch

        self.torch = torch
        self.options = options
        self.deadline = time.monotonic() + options.seconds
        self.library = Library(options.library)
        self.cuda = options.device.startswith("cuda")
        self.records: list[dict] = []
        self.failed = False

    def emit(self, record: dict) -> None:
        self.records.append(record)
        print(json.dumps(record), flush=True)
        if self.options.json:
            partial = self.options.json.with_name(self.options.json.name + ".part")
            partial.write_text(json.dumps(self.records, indent=1) + "\n")
            partial.replace(self.options.json)

    def late(self) -> bool:
        return time.monotonic() > self.deadline

    def run(self) -> int:
        torch = self.torch
        if self.options.threads:
            torch.set_num_threads(self.options.threads)
        left_out = []
        with tempfile.TemporaryDirectory(prefix="adamerge-bench-") as folder:
            for model in self.options.models:
                if self.late():
                    left_out.append(model.name)
                    continue
                network = write_model(Path(folder) / model.name, model)
                for precision in self.options.precisions:
                    if self.late():
                        left_out.append(f"{model.name} {precision}")
                        continue
                    try:
                        self.measure(Path(folder) / model.name, model, network, precision, left_out)
                    except RuntimeError as error:
                        self.failed = True
                        self.emit({"bench": "problem", "model": model.name,
                                   "precision": precision, "problem": str(error)[:2000]})
        self.emit({"bench": "left out", "cases": left_out})
        return 1 if self.failed else 0

    def measure(self, folder: Path, model: Model, network, precision: str,
                left_out: list[str]) -> None:
        torch = self.torch
        if self.cuda:
            torch.set_float32_matmul_precision("high" if precision == "tf32" else "highest")
        device = torch.device(self.options.device)
        dtype = getattr(torch, dtype_of(precision))
        session = self.library.open(folder, self.options.device, dtype_of(precision),
                                    self.options.threads)
        try:
            import peers

            vit = copy.deepcopy(network).to(device, dtype)
            tome = peers.ToMe(vit, model.r)
            host = make_images(IMAGES, model.size)
            images = host.to(device)
            session.keep(host)
            choices = self.choices(session, model, images)
            self.compare(session, model, precision, choices, vit, tome, images)
            for batch in self.options.batches:
                if self.late():
                    left_out.append(f"{model.name} {precision} batch {batch}")
                    continue
                self.batch(session, model, precision, choices, vit, tome, batch)
        finally:
            session.close()
            if self.cuda:
                torch.cuda.empty_cache()

    def choices(self, session: Session, model: Model, images) -> list[dict]:
        """Ours, all at ToMe's FLOPs."""
        tome = {"method": "tome", "r": model.r}
        flops = session.forward(tome, images)["flops"]
        return [{"method": "none"}, tome, session.match("adamerge", flops),
                {"method": "pitome", "r": model.r}]

    def compare(self, session, model, precision, choices, vit, tome, images) -> None:
        torch = self.torch
        with torch.inference_mode():
            for choice, peer in ((choices[0], vit), (choices[1], tome)):
                logits = torch.empty(len(images), CLASSES)
                session.forward(choice, images, logits)
                other = peer(images.to(next(vit.parameters()).dtype)).float().cpu()
                result = agreement(logits, other, precision)
                self.failed = self.failed or not result["agrees"]
                self.emit({"bench": "outputs", "model": model.name, "precision": precision,
                           "method": choice["method"], **result})

    def rows(self, session: Session, choices, vit, tome, images, compiled: bool) -> list[Row]:
        torch = self.torch
        half = images.to(next(vit.parameters()).dtype)

        def peer(network):
            def work() -> None:
                with torch.inference_mode():
                    network(half).float().cpu()
            return work

        rows = [Row("ours, " + choice["method"], choice["method"], True,
                    lambda choice=choice: session.forward(choice, images), choice)
                for choice in choices]
        rows.append(Row("PyTorch eager", "none", False, peer(vit)))
        rows.append(Row("ToMe as published", "tome", False, peer(tome)))
        if compiled:
            rows.append(Row("PyTorch compiled", "none", False,
                            peer(torch.compile(vit, dynamic=False))))
        return rows

    def batch(self, session, model, precision, choices, vit, tome, batch: int) -> None:
        torch = self.torch
        host = make_images(min(batch, 32), model.size)
        host = host.repeat((batch + len(host) - 1) // len(host), 1, 1, 1)[:batch].contiguous()
        images = host.to(self.options.device)
        # A compilation takes longer than all else together.
        compiled = self.options.compile and model == self.options.models[0] and precision in (
            "bfloat16", "float32")
        rows = self.rows(session, choices, vit, tome, images, compiled)
        session.keep(host)
        rows.append(Row("ours, none, from and to the host", "none", True,
                        lambda: session.run({"method": "none"}, batch)))
        times: dict[str, list[float]] = {row.name: [] for row in rows}
        extra: dict[str, dict] = {row.name: {} for row in rows}
        for row in list(rows):
            try:
                self.warm_up(row, extra[row.name])
            except Exception as error:  # noqa: BLE001: of a compiler, anything
                rows.remove(row)
                self.emit({"bench": "problem", "model": model.name, "precision": precision,
                           "batch": batch, "name": row.name, "problem": str(error)[-2000:]})
        # Whoever comes first in one round comes last in the next: no place is better.
        begin = time.monotonic()
        rounds = 0
        while rounds < self.options.rounds and (
                rounds < 2 or time.monotonic() - begin < self.options.case_seconds):
            first = rounds % len(rows)
            for row in rows[first:] + rows[:first]:
                start = time.perf_counter()
                row.work()
                times[row.name].append(1e3 * (time.perf_counter() - start))
            rounds += 1
        reference = {row.name: row for row in rows}["ours, none"]
        for row in rows:
            if row.choice:
                counted = session.forward(row.choice, images, timed=True)
                row.flops = counted["flops"]
                extra[row.name]["deciding_share"] = counted["deciding"] / counted["total"]
            if batch in self.options.profiled:
                extra[row.name]["profile"] = self.profiled(row.work, model.depth)
        for row in rows:
            self.emit(self.record(model, precision, batch, row, reference, times, extra[row.name]))

    def warm_up(self, row: Row, extra: dict) -> None:
        torch = self.torch
        row.work()
        if self.cuda:
            torch.cuda.reset_peak_memory_stats()
            before = torch.cuda.memory_allocated()
        row.work()
        if self.cuda:
            extra["peak_bytes"] = torch.cuda.max_memory_allocated() - before

    def record(self, model, precision, batch, row, reference, times, extra) -> dict:
        own = times[row.name]
        ratios = [a / b for a, b in zip(times[reference.name], own)]
        record = {"bench": "row", "model": model.name, "precision": precision, "batch": batch,
                  "name": row.name, "method": row.method, "ours": row.ours,
                  "choice": row.choice, "flops": row.flops or None, "milliseconds": spread(own),
                  "images_per_second": 1e3 * batch / statistics.median(own),
                  "rounds": own, "speed_over_our_unmerged": spread(ratios), **extra}
        if row.flops and reference.flops:
            realised = statistics.median(ratios) / (reference.flops / row.flops)
            record["realised_flops_ratio"] = realised
        return record

    def profiled(self, work, depth: int) -> dict[str, float]:
        """What one pass makes the device do, by PyTorch's profiler."""
        from torch.profiler import ProfilerActivity, profile

        activities = [ProfilerActivity.CPU]
        if self.cuda:
            activities.append(ProfilerActivity.CUDA)
        with profile(activities=activities) as profiler:
            work()
            if self.cuda:
                self.torch.cuda.synchronize()
        events = list(profiler.events())
        names = collections.Counter(event.name for event in events)

        def count(*starts: str) -> int:
            return sum(n for name, n in names.items() if name.startswith(starts))

        result: dict[str, float] = {
            "operations": sum(1 for event in events
                              if event.name.startswith("aten::") and event.cpu_parent is None)}
        if self.cuda:
            on_device = [event for event in events if "CUDA" in str(event.device_type)]
            syncs = count("cudaStreamSynchronize", "cudaEventSynchronize", "cudaDeviceSynchronize")
            result |= {
                "launches": count("cudaLaunchKernel", "cuLaunchKernel"),
                "synchronisations_per_block": max(0, syncs - 1) / depth,  # ours at the end
                "copies_to_device_per_block": count("Memcpy HtoD") / depth,
                "copies_to_host_per_block": count("Memcpy DtoH") / depth,
                "busy_milliseconds": sum(event.time_range.elapsed_us()
                                         for event in on_device) / 1e3,
            }
        return result


def table(records: list[dict]) -> str:
    """The rows of emitted records as text, a block for each model, precision and batch."""
    lines = []
    last = None
    for record in records:
        if record.get("bench") == "outputs" and not record["agrees"]:
            lines.append(f"OUTPUTS DIFFER: {record['model']} {record['precision']} "
                         f"{record['method']}: {record['largest_difference']:.2g}, "
                         f"cosine {record['smallest_cosine']:.4f}")
        if record.get("bench") == "problem":
            lines.append("PROBLEM: " + json.dumps(record)[:300])
        if record.get("bench") == "left out" and record["cases"]:
            lines.append("left out for want of time: " + ", ".join(record["cases"]))
        if record.get("bench") != "row":
            continue
        case = (record["model"], record["precision"], record["batch"])
        if case != last:
            last = case
            lines.append(f"\n{case[0]}, {case[1]}, batch {case[2]}")
            lines.append(f"{'':34}{'ms':>9}{'images/s':>10}{'/ our none':>11}{'GFLOPs':>8}"
                         f"{'realised':>9}{'deciding':>9}{'MiB':>7}{'launches':>9}{'syncs/block':>12}")
        profile = record.get("profile", {})
        launches = profile.get("launches", profile.get("operations"))

        def cell(value, form: str, width: int) -> str:
            return f"{'' if value is None else format(value, form):>{width}}"

        lines.append(
            f"{record['name']:34}" + cell(record["milliseconds"]["median"], ".2f", 9)
            + cell(record["images_per_second"], ".0f", 10)
            + cell(record["speed_over_our_unmerged"]["median"], ".2f", 11)
            + cell(record["flops"], ".2f", 8)
            + cell(record.get("realised_flops_ratio"), ".2f", 9)
            + cell(record.get("deciding_share"), ".0%", 9)
            + cell(record["peak_bytes"] / 2**20 if "peak_bytes" in record else None, ".0f", 7)
            + cell(launches, ".0f", 9)
            + cell(profile.get("synchronisations_per_block"), ".1f", 12))
    return "\n".join(lines)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", type=Path, required=True, metavar="FILE",
                        help="libadamerge_bench.so, built against this PyTorch")
    parser.add_argument("--device", default="cuda", help="cuda or cpu (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=300, metavar="N",
                        help="no new case is begun after so long (default %(default)s)")
    parser.add_argument("--threads", type=int, default=0, metavar="N", help="0: all cores")
    parser.add_argument("--compile", action="store_true", help="torch.compile as well, of the first model")
    parser.add_argument("--quick", action="store_true", help="a tiny model, two passes of each")
    parser.add_argument("--json", type=Path, metavar="FILE", help="all results, as they come")
    options = parser.parse_args()
    options.models = QUICK_MODELS if options.quick else MODELS
    options.batches = [1, 2] if options.quick else [256, 1, 32]
    options.precisions = ["float32", "bfloat16"] if options.quick else list(PRECISIONS)
    options.profiled = [1] if options.quick else [1, 256]
    options.rounds = 2 if options.quick else 30
    options.case_seconds = 1.5
    return options


def main() -> int:
    options = parse()
    try:
        import torch  # noqa: F401
    except ImportError:
        sys.exit("bench.py needs PyTorch")
    bench = Bench(options)
    status = bench.run()
    print(table(bench.records), file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
