# SPDX-License-Identifier: GPL-3.0-or-later
"""timm's model with the weights of a model folder, for all peers that need PyTorch and timm."""

from __future__ import annotations

import argparse
import ctypes
import json
import os
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def help_old_libraries() -> None:
    """Debian 12's PyTorch on CPUs younger than itself. What the user has set stays.

    oneDNN 2.6 dies of an illegal instruction where a CPU has AMX. OpenBLAS 0.3.21 takes CPUs that it
    does not know for ones without AVX, where fp32 is four times slower than it need be.
    """
    try:
        old = int(version("torch").split(".")[0]) < 2
        avx512 = " avx512bw " in Path("/proc/cpuinfo").read_text()
    except (PackageNotFoundError, OSError):
        return
    if old and avx512:
        os.environ.setdefault("DNNL_MAX_CPU_ISA", "AVX512_CORE_BF16")
        os.environ.setdefault("OPENBLAS_CORETYPE", "SkylakeX")


help_old_libraries()

import timm  # noqa: E402
import torch  # noqa: E402

from random_model import read_safetensors  # noqa: E402


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--r", type=int, default=8)
    return parser.parse_args()


def load(folder: Path) -> torch.nn.Module:
    config = json.loads((folder / "config.json").read_text())
    model = timm.create_model(config["architecture"], num_classes=config["num_classes"])
    weights = read_safetensors(folder / "model.safetensors")
    model.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
    return model.eval()


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
