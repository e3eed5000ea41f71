# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes our own reference networks beside this file: tiny random ones of transformers 5.24.0 with
torch 2.15 and the numbers that the library gives for them.

    pip install torch transformers==5.24.0 pillow
    python3 make_cases.py
"""
import math
import pathlib
import re

import numpy
import torch
import transformers
from PIL import Image
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent


def picture(path, height, width):
    rows, columns = numpy.mgrid[0:height, 0:width]
    channels = [127 + 120 * numpy.sin(rows * a + columns * b + a)
                for a, b in ((0.9, 0.3), (0.2, 1.1), (0.6, -0.7))]
    Image.fromarray(numpy.stack(channels, -1).astype(numpy.uint8)).save(path)


def randomise(model):
    for name, parameter in model.named_parameters():
        with torch.no_grad():
            if "norm" in name and name.endswith("weight"):
                parameter.normal_(1, 0.2)
            elif parameter.dim() > 1 and parameter.numel() > 0 and "position" not in name:
                parameter.normal_(0, 1.2 / parameter[0].numel() ** 0.5)
            else:
                parameter.normal_(0, 0.3)


def first(output):
    return output[0] if isinstance(output, tuple) else output


def write(name, model, size, names, pooling, embedding, **arguments):
    """`embedding` makes it of the features after the last norm, or else after the last block;
    `arguments` are from_pretrained()'s."""
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    randomise(model)
    if names == "old":
        model.save_pretrained(folder)
    else:
        model.config.save_pretrained(folder)
        save_file({key: tensor.contiguous() for key, tensor in model.state_dict().items()},
                  folder / "model.safetensors", metadata={"format": "pt"})
    height, width = size
    picture(folder / "image.png", height, width)
    processor = transformers.ViTImageProcessorPil(size={"height": height, "width": width})
    processor.save_pretrained(folder)
    pixels = processor(Image.open(folder / "image.png"), return_tensors="pt").pixel_values

    model = type(model).from_pretrained(
        folder, attn_implementation="eager", **arguments).eval()
    trunk = getattr(model, "ijepa", model)
    blocks = [module for path, module in trunk.named_modules()
              if re.fullmatch(r"(encoder\.|model\.)?layers?\.\d+", path)]
    norm = getattr(trunk, "layernorm", None) or trunk.norm
    seen = {}
    trunk.embeddings.register_forward_hook(lambda _m, _i, out: seen.update(tokens=first(out)))
    for i, layer in enumerate(blocks):
        layer.register_forward_hook(
            lambda _m, _i, out, i=i: seen.update({f"block_{i}": first(out)}))
    norm.register_forward_hook(lambda _m, _i, out: seen.update(features=out))
    config = model.config
    with torch.no_grad():
        resampled = config.image_size not in (height, [height, width])
        output = model(pixels, **({"interpolate_pos_encoding": True} if resampled else {}))
    case = {"input": pixels, **seen, "embedding": embedding(seen["features"])}
    if "logits" in output:
        case["logits"] = output.logits
    grid = height // config.patch_size, width // config.patch_size
    metadata = {
        "format": "adamerge-family-case", "library": "transformers",
        "version": transformers.__version__, "class": type(model).__name__, "names": names,
        "pooling": pooling,
        "prefix_tokens": str(case["tokens"].shape[1] - math.prod(grid)),
        "input_size": f"{height}x{width}",
        "grid": "x".join(map(str, grid)),
        "patch": str(config.patch_size), "heads": str(config.num_attention_heads),
        "depth": str(config.num_hidden_layers)}
    save_file({key: tensor.float().contiguous().clone() for key, tensor in case.items()},
              folder / "case.safetensors", metadata=metadata)



def main():
    MEAN = "mean of all tokens after the final norm", lambda features: features.mean(1)
    CLASS = "class token after the final norm", lambda features: features[:, 0]
    torch.manual_seed(11)
    shared = dict(hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=60,
                  patch_size=5, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    write("hf-ijepa-classify",
          transformers.IJepaForImageClassification(
              transformers.IJepaConfig(**shared, image_size=20, num_labels=7)), (20, 20), "old", *MEAN)
    write("hf-ijepa-resampled",
          transformers.IJepaModel(transformers.IJepaConfig(**shared, image_size=30)), (20, 25), "new", *MEAN)
    # No register, biases of the values alone.
    write("hf-dinov3-no-registers",
          transformers.DINOv3ViTModel(transformers.DINOv3ViTConfig(
              hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=60,
              patch_size=5, image_size=20, num_register_tokens=0, query_bias=False, value_bias=True,
              hidden_act="gelu")),
          (20, 20), "old", *CLASS)
    # Neither scales nor a shared table: the keys' missing bias alone tells it from a ViT.
    write("hf-data2vec-plain",
          transformers.Data2VecVisionModel(transformers.Data2VecVisionConfig(
              **shared, image_size=20, layer_scale_init_value=0.0, use_relative_position_bias=True,
              use_mean_pooling=True)),
          (20, 20), "old", "mean of the patch tokens; the class has no norm", lambda features: features[:, 1:].mean(1))
    # A window that is no square, whose table the library turns.
    write("hf-beit-rectangular",
          transformers.BeitModel(transformers.BeitConfig(
              **shared, image_size=[20, 30], layer_scale_init_value=0.1, use_mean_pooling=False,
              use_relative_position_bias=True)),
          (20, 30), "old", *CLASS)
    # Two tokens, of which transformers reads the class alone where nothing follows.
    write("hf-deit-headless",
          transformers.DeiTModel(transformers.DeiTConfig(**shared, image_size=20),
                                 add_pooling_layer=False),
          (20, 20), "old", *CLASS, add_pooling_layer=False)


if __name__ == "__main__":
    main()
