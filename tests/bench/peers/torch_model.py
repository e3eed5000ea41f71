# SPDX-License-Identifier: GPL-3.0-or-later
"""timm's model with the weights of a model folder, for all peers that need PyTorch and timm."""

from __future__ import annotations

import argparse
import ctypes
import json
import os
from pathlib import Path

import timm
import torch

from random_model import read_safetensors


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--r", type=int, default=8)
    parser.add_argument("--compile", action="store_true",
                        help="by torch.compile, with the weights as constants")
    return parser.parse_args()


def load(folder: Path) -> torch.nn.Module:
    config = json.loads((folder / "config.json").read_text())
    model = timm.create_model(config["architecture"], num_classes=config["num_classes"],
                              img_size=config["pretrained_cfg"]["input_size"][1])
    weights = read_safetensors(folder / "model.safetensors")
    model.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
    return model.eval()


def compiled(model: torch.nn.Module) -> torch.nn.Module:
    """As PyTorch's documentation advises for CPUs. One graph for each batch size."""
    import torch._inductor.config  # not in PyTorch 1

    torch._inductor.config.freezing = True
    return torch.compile(model, dynamic=False)


def blas() -> str:
    """Which BLAS the process has mapped: fp32 products depend on it more than on anything else."""
    try:
        lines = Path("/proc/self/maps").read_text().splitlines()
    except OSError:
        return "unknown"
    files = {line.split()[-1] for line in lines if "openblas" in line or "libmkl" in line}
    cores = {core for core in map(openblas_core, files) if core}
    return ", ".join(sorted(files) + sorted(cores)) or "built in"


def openblas_core(file: str) -> str:
    """The CPU that an OpenBLAS library takes this one for."""
    try:
        name = ctypes.CDLL(file).openblas_get_corename
    except (OSError, AttributeError):
        return ""
    name.restype = ctypes.c_char_p
    return name().decode()


def about() -> dict[str, object]:
    limits = {name: os.environ.get(name, "") for name in ("DNNL_MAX_CPU_ISA", "OPENBLAS_CORETYPE")}
    return {"torch": torch.__version__, "timm": timm.__version__, "blas": blas(),
            "threads": torch.get_num_threads(), **limits}
