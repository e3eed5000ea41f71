#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small files that claim much: each is answered within seconds and a bound of memory.

    claims.py ADAMERGE [--seconds S] [--only WORD]

Fuzzing does not find these. Each input runs under an address space of 2 GB more than the program
maps at its start (LibTorch's libraries alone take much of it) and a limit of processor time (what
runs beside does not count), and must end in a result or in one sentence of status 1 or 2.
"""

import argparse
import json
import os
import pathlib
import resource
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib

GIGABYTE = 1 << 30


def safetensors(tensors):
    """`tensors`: name -> (dtype, shape, bytes); the bytes may be fewer than the shape says."""
    header, data = {}, b""
    for name, (dtype, shape, content) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape,
                        "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def write_model(folder, dim=4, depth=1, heads=2, patch=4, tokens=4, classes=2, mlp=8, size=None,
                **arguments):
    tensors = {}

    def add(name, *shape):
        count = 1
        for side in shape:
            count *= side
        tensors[name] = ("F16", list(shape), struct.pack("<e", 0.5) * count)

    add("patch_embed.proj.weight", dim, 3, patch, patch)
    add("patch_embed.proj.bias", dim)
    add("cls_token", 1, 1, dim)
    add("pos_embed", 1, tokens + 1, dim)
    for block in range(depth):
        for name, shape in (("norm1.weight", [dim]), ("norm1.bias", [dim]),
                            ("attn.qkv.weight", [3 * dim, dim]), ("attn.qkv.bias", [3 * dim]),
                            ("attn.proj.weight", [dim, dim]), ("attn.proj.bias", [dim]),
                            ("norm2.weight", [dim]), ("norm2.bias", [dim]),
                            ("mlp.fc1.weight", [mlp, dim]), ("mlp.fc1.bias", [mlp]),
                            ("mlp.fc2.weight", [dim, mlp]), ("mlp.fc2.bias", [dim])):
            add(f"blocks.{block}.{name}", *shape)
    add("norm.weight", dim)
    add("norm.bias", dim)
    add("head.weight", classes, dim)
    add("head.bias", classes)
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(safetensors(tensors))
    side = patch * int(tokens ** 0.5)
    write_config(folder, size or [side, side], num_heads=heads, patch_size=patch, embed_dim=dim,
                 depth=depth, mlp_ratio=mlp / dim, **arguments)
    return folder


def write_config(folder, size, **arguments):
    (folder / "config.json").write_text(json.dumps({
        "architecture": "vit_tiny_patch16_224", "num_classes": arguments.pop("num_classes", 2),
        "model_args": arguments, "pretrained_cfg": {"input_size": [3] + size}}))


def announced(folder, tensors):
    """A model of tensors that are named but not there."""
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(
        safetensors({name: ("F32", shape, b"") for name, shape in tensors.items()}))
    write_config(folder, [224, 224])
    return folder


def png(path, width, height, kind=2, depth=8):
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) +
                     chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b""))
    return path


def jpeg(path, width, height, scans=1, frame=0xC2):
    def segment(marker, data):
        return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data
    data = b"\xff\xd8" + segment(0xDB, b"\0" + b"\1" * 64)
    data += segment(frame, struct.pack(">BHHB", 8, height, width, 1) + bytes([1, 0x11, 0]))
    data += segment(0xC4, b"\x00" + bytes([1] + [0] * 15) + b"\0")
    data += segment(0xC4, b"\x10" + bytes([1] + [0] * 15) + b"\0")
    data += segment(0xDA, bytes([1, 1, 0x00, 1, 1, 0])) * scans
    path.write_bytes(data + b"\xff\xd9")
    return path


def tiff(path, width, height, bits=8, samples=3, form=1, rows=None):
    rows = rows or height
    entries = [(256, 4, width), (257, 4, height), (258, 3, bits), (259, 3, 8), (262, 3, 2),
               (273, 4, 8), (277, 3, samples), (278, 4, rows), (279, 4, 4), (339, 3, form)]
    data = b"II*\0" + struct.pack("<I", 16) + b"\0" * 8 + struct.pack("<H", len(entries))
    for tag, kind, value in entries:
        data += struct.pack("<HHII", tag, kind, 1, value)
    path.write_bytes(data + b"\0" * 4)
    return path


def webp(path, width, height, groups):
    """A lossless stream that ends once it has named `groups` groups of prefix codes."""
    bits, count = 0, 0
    chunks = []

    def put(value, size):
        nonlocal bits, count
        bits |= value << count
        count += size
        if count > 4096:
            chunks.append((bits & ((1 << 4096) - 1)).to_bytes(512, "little"))
            bits >>= 4096
            count -= 4096

    put(0x2F, 8)
    put(width - 1, 14)
    put(height - 1, 14)
    put(0, 5)  # no alpha, version 0, no transform
    put(1 | 11 << 1, 5)  # a cache of 2,048 colours
    put(1, 5)  # groups for blocks of 4 x 4; their numbers' image has no cache
    for symbols in (280, 256):
        # Codes of 8 bits for green and red, which hold the number.
        put(0 | 8 << 1, 5)
        for length in (17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8):
            put(length in (0, 8), 3)
        put(0, 1)
        put((1 << 256) - 1, symbols)
    put(0b0001_0001_0001, 12)  # one symbol for blue, alpha and distances
    for group in range(groups):
        put(group, 16)
    data = b"".join(chunks) + bits.to_bytes(578, "little")
    chunk = b"VP8L" + struct.pack("<I", len(data)) + data
    path.write_bytes(b"RIFF" + struct.pack("<I", len(chunk) + 4) + b"WEBP" + chunk)
    return path


def text(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def cases(work):
    """(name, arguments) of the program."""
    small = write_model(work / "small")
    picture = text(work / "picture.ppm", b"P6 8 8 255\n" + b"\x40" * 192)

    def inspect(path):
        return ["inspect", path, "--model", small, "--method", "tome", "--r", "0"]

    def info(folder):
        return ["info", "--model", folder]

    yield "the small model itself", inspect(picture)
    # Models.
    yield "depth 10,000", info(write_model(work / "deep", dim=2, depth=10_000, heads=1, mlp=2))
    yield "a million tokens", info(write_model(work / "tokens", dim=1, heads=1, patch=1, mlp=1,
                                               tokens=1_000_000))
    yield "a million tokens, resampled", info(
        write_model(work / "resampled", patch=1, tokens=4, size=[1000, 1000]))
    yield "262,144 tokens of 128 x 128 pixels", inspect(picture)[:2] + [
        "--model", write_model(work / "pixels", dim=1, heads=1, patch=128, mlp=1,
                               size=[65536, 65536])]
    yield "an input of 65536 x 65536", info(write_model(work / "input", size=[65536, 65536]))
    yield "2^40 parameters announced", info(
        announced(work / "announced", {"blocks.0.mlp.fc1.weight": [1 << 20, 1 << 20],
                                       "blocks.0.mlp.fc2.weight": [1 << 20, 1 << 20]}))
    yield "shapes whose product overflows", info(
        announced(work / "overflow", {"cls_token": [1 << 32, 1 << 32, 4]}))
    many = work / "classes"
    many.mkdir()
    (many / "model.safetensors").write_bytes((small / "model.safetensors").read_bytes())
    write_config(many, [8, 8], num_classes=1_000_000_000, num_heads=2)
    yield "a billion classes", info(many)
    header = work / "header"
    header.mkdir()
    text(header / "model.safetensors", struct.pack("<Q", 1 << 62) + b"{}")
    yield "a header of 2^62 bytes", info(header)
    # JSON.
    for name, content in {"arrays 100,000 deep": "[" * 100_000 + "]" * 100_000,
                          "objects 100,000 deep": '{"a":' * 100_000 + "1" + "}" * 100_000,
                          "a million open brackets": "[" * 1_000_000}.items():
        folder = work / name.replace(" ", "-").replace(",", "")
        folder.mkdir()
        text(folder / "config.json", '{"architecture":"vit_tiny_patch16_224","model_args":' + content + "}")
        (folder / "model.safetensors").write_bytes((small / "model.safetensors").read_bytes())
        yield "JSON, " + name, info(folder)
        yield "weights' index, " + name, info(text(work / "index.json", '{"weight_map":' + content + "}"))
    # Pictures.
    yield "PNG of 60,000 x 60,000", inspect(png(work / "a.png", 60_000, 60_000))
    yield "PNG of 17,000 x 17,000", inspect(png(work / "b.png", 17_000, 17_000))
    yield "PNG of 16-bit RGBA, 16,000 x 16,000", inspect(png(work / "c.png", 16_000, 16_000, 6, 16))
    yield "JPEG of 60,000 x 60,000", inspect(jpeg(work / "a.jpg", 60_000, 60_000))
    yield "JPEG of 17,000 x 17,000, 200 scans", inspect(jpeg(work / "b.jpg", 17_000, 17_000, 200))
    yield "JPEG of 2,000 x 2,000, 10,000 scans", inspect(jpeg(work / "c.jpg", 2_000, 2_000, 10_000))
    yield "TIFF of 60,000 x 60,000", inspect(tiff(work / "a.tif", 60_000, 60_000))
    yield "TIFF of 64-bit RGBA, 17,000 x 17,000", inspect(
        tiff(work / "b.tif", 17_000, 17_000, 64, 4, 3))
    yield "TIFF of one strip of 4 billion rows", inspect(tiff(work / "c.tif", 1, 4_000_000_000))
    bmp = struct.pack("<2sIHHI", b"BM", 60, 0, 0, 54) + struct.pack("<IiiHHIIiiII", 40, 17_000, 17_000, 1, 8,
                                                                   1, 6, 0, 0, 0, 0)
    yield "BMP of 17,000 x 17,000", inspect(text(work / "a.bmp", bmp + b"\0\1"))
    yield "PPM of 60,000 x 60,000", inspect(text(work / "a.ppm", "P6 60000 60000 255\n"))
    yield "plain PPM of 17,000 x 17,000", inspect(text(work / "b.ppm", "P3 17000 17000 255\n1 2 3"))
    yield "WebP of 16,384 x 16,384", inspect(webp(work / "a.webp", 16_384, 16_384, 0))
    yield "WebP of 1,024 x 1,024, 65,536 codes", inspect(webp(work / "b.webp", 1_024, 1_024, 65_536))
    dicom = b"VP8 " + bytes(112) + b"DICM\x02\0\0\0UN\0\0\0\0\0\xD0" + bytes(28)
    yield "WebP that is DICOM to OpenCV, 3.5 GB", inspect(
        text(work / "d.webp", b"RIFF" + struct.pack("<I", len(dicom) + 4) + b"WEBP" + dicom))
    # Command lines and folders.
    crowd = work / "crowd"
    crowd.mkdir()
    for i in range(100_000):
        (crowd / f"{i}.ppm").symlink_to(picture)
    yield "a folder of 100,000 pictures", ["evaluate", crowd, "--unlabelled", "--limit", "2", "--model",
                                           small, "--method", "tome", "--r", "0"]
    yield "a million counts", ["evaluate", crowd, "--unlabelled", "--limit", "2", "--model", small,
                               "--method", "tome", "--r", "0:1000000"]
    yield "many million counts", ["evaluate", crowd, "--unlabelled", "--limit", "2", "--model", small,
                                  "--method", "tome", "--r", ",".join(["0:1000000"] * 300)]
    labels = text(work / "labels.csv", "a,0\n" * 1_000_000)
    yield "a million lines of labels", ["evaluate", crowd, "--labels", labels, "--model", small]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    mapped = mapped_at_start(options.program)
    failed = 0
    print(f"{'input':44} {'status':>6} {'CPU s':>6} {'s':>6} {'peak MB':>8}  answer")
    with tempfile.TemporaryDirectory(prefix="adamerge-claims-") as folder:
        for name, arguments in cases(pathlib.Path(folder)):
            if options.only in name:
                failed += not check(name, options, arguments, mapped)
    sys.exit(1 if failed else 0)


def mapped_at_start(program):
    """Of address space, before anything is asked of the program."""
    limit = 1 * GIGABYTE
    while subprocess.run([program, "--version"], capture_output=True,
                         preexec_fn=lambda: limit_memory(limit)).returncode != 0:
        limit += GIGABYTE // 4
    return limit


def limit_memory(size):
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def check(name, options, arguments, mapped):
    start = time.monotonic()
    process = subprocess.Popen([options.program, *map(str, arguments)], stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE,
                               preexec_fn=lambda: limit_memory(mapped + 2 * GIGABYTE))
    patience = threading.Timer(120, process.kill)
    patience.start()
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    patience.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    waited = time.monotonic() - start
    seconds = usage.ru_utime + usage.ru_stime
    peak = usage.ru_maxrss // 1024
    lines = [line for line in errors.decode(errors="replace").splitlines() if "warning: " not in line]
    sentence = lines[0] if lines else ""
    good = (process.returncode == 0 and not lines or process.returncode in (1, 2) and len(lines) == 1)
    good = good and "unexpected error" not in sentence and seconds < options.seconds
    print(f"{name:44} {process.returncode:6} {seconds:6.1f} {waited:6.1f} {peak:8}  "
          f"{'' if good else 'FAILED: '}{sentence[:160]}", flush=True)
    return good


if __name__ == "__main__":
    main()
