# SPDX-License-Identifier: GPL-3.0-or-later
"""One set of random weights and images, written so that every peer reads the very same numbers.

The model folder is what `adamerge --model` takes (config.json, model.safetensors with timm's names,
float32). In it lie the images, in `images/` as PPM files of the model's own input size (no resize,
no crop) and in `input.f32`: [images, 3, side, side] float32, normalised with mean and std 0.5.
"""

from __future__ import annotations

import json
import re
import struct
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

PATCH = 16
DEPTH = 12
CLASSES = 1000
USUAL_SIDE = 224
# Of a newly initialised network; larger weights saturate the attention.
DEVIATION = 0.02


@dataclass(frozen=True)
class Architecture:
    """A plain ViT as timm names it: embedding dimension and heads."""

    size: str
    dim: int
    heads: int
    side: int = USUAL_SIDE  # of the input, pixels

    @property
    def images(self) -> int:
        """As many as are compared and measured: large ones take seconds each."""
        return 8 if self.side <= USUAL_SIDE else 2


SIZES = {a.size: a for a in (Architecture("tiny", 192, 3), Architecture("small", 384, 6),
                             Architecture("base", 768, 12))}


def architecture(name: str) -> Architecture:
    """vit_SIZE_patch16_SIDE. Raises ValueError."""
    match = re.fullmatch(rf"vit_({'|'.join(SIZES)})_patch{PATCH}_(\d+)", name)
    side = int(match[2]) if match else 0
    if side < PATCH or side > 2048 or side % PATCH:
        raise ValueError(f"'{name}' is none of vit_{{{','.join(SIZES)}}}_patch{PATCH}_SIDE, SIDE a "
                         f"multiple of {PATCH} up to 2048")
    return replace(SIZES[match[1]], side=side)


def side_of(folder: Path) -> int:
    """Of the input of the model in `folder`."""
    config = json.loads((folder / "config.json").read_text())
    return config["pretrained_cfg"]["input_size"][1]


def random_weights(architecture: Architecture, seed: int) -> dict[str, np.ndarray]:
    """Tensors under timm's names: matrices are noise, biases 0, norms 1 and 0."""
    generator = np.random.default_rng(seed)
    dim = architecture.dim
    tensors: dict[str, np.ndarray] = {}

    def noise(*shape: int) -> np.ndarray:
        return generator.standard_normal(shape, dtype=np.float32) * np.float32(DEVIATION)

    def linear(name: str, rows: int, columns: int) -> None:
        tensors[name + ".weight"] = noise(rows, columns)
        tensors[name + ".bias"] = np.zeros(rows, np.float32)

    def norm(name: str) -> None:
        tensors[name + ".weight"] = np.ones(dim, np.float32)
        tensors[name + ".bias"] = np.zeros(dim, np.float32)

    tensors["cls_token"] = noise(1, 1, dim)
    tensors["pos_embed"] = noise(1, 1 + (architecture.side // PATCH) ** 2, dim)
    tensors["patch_embed.proj.weight"] = noise(dim, 3, PATCH, PATCH)
    tensors["patch_embed.proj.bias"] = np.zeros(dim, np.float32)
    for block in range(DEPTH):
        prefix = f"blocks.{block}."
        norm(prefix + "norm1")
        linear(prefix + "attn.qkv", 3 * dim, dim)
        linear(prefix + "attn.proj", dim, dim)
        norm(prefix + "norm2")
        linear(prefix + "mlp.fc1", 4 * dim, dim)
        linear(prefix + "mlp.fc2", dim, 4 * dim)
    norm("norm")
    linear("head", CLASSES, dim)
    return tensors


def write_safetensors(file: Path, tensors: dict[str, np.ndarray]) -> None:
    header: dict[str, object] = {}
    offset = 0
    for name, tensor in tensors.items():
        end = offset + tensor.nbytes
        header[name] = {"dtype": "F32", "shape": tensor.shape, "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with file.open("wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        for tensor in tensors.values():
            out.write(tensor.astype("<f4").tobytes())


def read_safetensors(file: Path) -> dict[str, np.ndarray]:
    """What write_safetensors() wrote; no other dtype than float32."""
    data = file.read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    tensors = {}
    for name, entry in json.loads(data[8 : 8 + length]).items():
        begin, end = entry["data_offsets"]
        values = np.frombuffer(data, "<f4", (end - begin) // 4, 8 + length + begin)
        tensors[name] = values.reshape(entry["shape"]).copy()
    return tensors


def write_images(folder: Path, side: int, count: int, seed: int) -> list[Path]:
    """Photograph-like noise: large smooth blobs and a little grain, each image another."""
    generator = np.random.default_rng(seed)
    (folder / "images").mkdir(exist_ok=True)
    files = []
    inputs = []
    blob = -(-side // 7)
    for index in range(count):
        coarse = generator.uniform(0, 255, (7, 7, 3)).repeat(blob, 0).repeat(blob, 1)
        grain = generator.normal(0, 12, (side, side, 3))
        pixels = np.clip(coarse[:side, :side] + grain, 0, 255).astype(np.uint8)
        file = folder / "images" / f"{index}.ppm"
        file.write_bytes(f"P6 {side} {side} 255\n".encode() + pixels.tobytes())
        files.append(file)
        inputs.append(((pixels.astype(np.float32) / 255 - 0.5) / 0.5).transpose(2, 0, 1))
    np.stack(inputs).astype("<f4").tofile(folder / "input.f32")
    return files


def write_model(folder: Path, architecture: Architecture, seed: int = 1) -> list[Path]:
    """Fills `folder` and returns the image files. Same seed: same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    write_safetensors(folder / "model.safetensors", random_weights(architecture, seed))
    config = {
        "architecture": f"vit_{architecture.size}_patch{PATCH}_{USUAL_SIDE}",
        "num_classes": CLASSES,
        "pretrained_cfg": {
            "input_size": [3, architecture.side, architecture.side],
            "crop_pct": 1.0,
            "interpolation": "bicubic",
            "mean": [0.5, 0.5, 0.5],
            "std": [0.5, 0.5, 0.5],
        },
    }
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    return write_images(folder, architecture.side, architecture.images, seed)
