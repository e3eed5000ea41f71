# SPDX-License-Identifier: GPL-3.0-or-later
"""Which peers there are, what each needs, and how to start it."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

HERE = Path(__file__).resolve().parent

HINTS = {
    "torch": "PyTorch (Debian: python3-torch and python3-torchvision; else pytorch.org)",
    "timm": "timm (0.6.13 runs on Debian's PyTorch; in PYTHONPATH is enough)",
    "tome": "ToMe's own code (github.com/facebookresearch/ToMe; in PYTHONPATH is enough)",
    "openvino": "OpenVINO, the Python module openvino",
    "onnxruntime": "ONNX Runtime, the Python module onnxruntime",
    "onnx": "onnx and onnxscript, with which PyTorch exports the model",
    "onnxruntime-node": "ONNX Runtime for Node (npm install --ignore-scripts onnxruntime-node; "
                        "NODE_PATH=…/node_modules)",
}


@dataclass(frozen=True)
class Peer:
    """`method`: the method of ours whose output must be the same. Empty `dtypes`: any. `first_torch`:
    the PyTorch with which it makes sense."""

    key: str
    label: str
    method: str
    program: str
    modules: tuple[str, ...]
    dtypes: tuple[str, ...] = ()
    gpu: bool = True
    options: tuple[str, ...] = ()
    first_torch: int = 1

    def command(self, folder: Path, dtype: str, threads: int, device: str, r: int) -> list[str]:
        program = str(HERE / self.program)
        if program.endswith(".js"):
            return ["node", program, str(folder), str(threads)]
        command = [sys.executable, program, str(folder), "--threads", str(threads)]
        if "torch" in self.modules:
            command += ["--device", device, "--r", str(r)]
        if self.dtypes != ("float32",):
            command += ["--dtype", dtype]
        return command + list(self.options)

    def needs_onnx(self) -> bool:
        return "torch" not in self.modules


PEERS = (
    Peer("timm", "timm", "none", "peer_timm.py", ("torch", "timm")),
    Peer("tome", "ToMe's own code", "tome", "peer_tome.py", ("torch", "timm", "tome")),
    Peer("timm-compiled", "timm, compiled", "none", "peer_timm.py", ("torch", "timm"),
         options=("--compile",), first_torch=2),
    Peer("tome-compiled", "ToMe's own code, compiled", "tome", "peer_tome.py",
         ("torch", "timm", "tome"), options=("--compile",), first_torch=2),
    Peer("openvino", "OpenVINO", "none", "peer_openvino.py", ("openvino",), gpu=False),
    Peer("onnxruntime", "ONNX Runtime", "none", "peer_onnxruntime.py", ("onnxruntime",),
         ("float32",), gpu=False),
    Peer("onnxruntime-node", "ONNX Runtime (Node)", "none", "peer_onnxruntime.js",
         ("onnxruntime-node",), ("float32",), gpu=False),
)


def installed(module: str) -> bool:
    if module != "onnxruntime-node":
        return importlib.util.find_spec(module) is not None
    if shutil.which("node") is None:
        return False
    question = ["node", "-e", f"require.resolve('{module}')"]
    return subprocess.run(question, capture_output=True, check=False).returncode == 0


def missing(peer: Peer, onnx_file: Path) -> list[str]:
    """What `peer` lacks, in words; empty: it can run (once the ONNX file has been exported)."""
    needed = list(peer.modules)
    if peer.needs_onnx() and not onnx_file.exists():
        needed += ["torch", "timm", *(["onnx"] if torch_version() >= 2 else [])]
    lacks = [HINTS[module] for module in needed if not installed(module)]
    if not lacks and torch_version() < peer.first_torch:
        lacks.append(f"PyTorch {peer.first_torch} or newer")
    return lacks


def torch_version() -> int:
    """Its first part; 0 where there is none."""
    try:
        return int(version("torch").split(".")[0])
    except PackageNotFoundError:
        return 0


def environment() -> dict[str, str]:
    """For the peers: helps Debian 12's libraries with CPUs younger than them; what is set stays.

    Its OpenBLAS 0.3.21 takes CPUs that it does not know for ones without AVX, where fp32 is four
    times slower than need be. Its oneDNN 2.6 dies where a virtual machine has AMX but hides CPUID
    leaf 0x1D; bf16 is several times slower without, see onednn_tile_palette.c.
    """
    set_ = dict(os.environ)
    if torch_version() != 1:
        return set_
    try:
        cpu = Path("/proc/cpuinfo").read_text()
    except OSError:
        return set_
    if " avx512bw " in cpu:
        set_.setdefault("OPENBLAS_CORETYPE", "SkylakeX")
    level = re.search(r"cpuid level\s*: (\d+)", cpu)
    if " amx_tile " in cpu and level and int(level[1]) < 0x1D:
        set_.setdefault("DNNL_MAX_CPU_ISA", "AVX512_CORE_BF16")
    return set_
