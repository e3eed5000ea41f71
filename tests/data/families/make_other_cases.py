# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the reference networks of timm 1.0.31 and open_clip 3.3.0 (torch 2.15) that the cases of
the libraries' usual networks do not cover, and the numbers that the libraries give for them.

    pip install torch timm==1.0.31 open_clip_torch==3.3.0 pillow
    python3 make_other_cases.py
"""
import json

import open_clip
import timm
import torch
from open_clip.model import CustomTextCLIP
from PIL import Image
from safetensors.torch import save_file

from make_cases import HERE, picture, randomise


def write(folder, case, **metadata):
    metadata = {"format": "adamerge-family-case", "prefix_tokens": "1", "input_size": "20x20",
                "grid": "4x4", "patch": "5", "heads": "2", "depth": "2", **metadata}
    save_file({key: tensor.contiguous().clone() for key, tensor in case.items()},
              folder / "case.safetensors", metadata=metadata)


def watch(blocks):
    seen = {}
    blocks[0].register_forward_pre_hook(lambda _m, inputs: seen.update(tokens=inputs[0]))
    for i, block in enumerate(blocks):
        block.register_forward_hook(lambda _m, _i, out, i=i: seen.update({f"block_{i}": out}))
    return seen


def write_timm(name, architecture, arguments, **metadata):
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    arguments = {"img_size": 20, "patch_size": 5, "embed_dim": 16, "depth": 2, "num_heads": 2,
                 "num_classes": 7, **arguments}
    model = timm.create_model(architecture, pretrained=False, **arguments).eval()
    randomise(model)
    model.pretrained_cfg = {**model.pretrained_cfg, "input_size": (3, 20, 20), "crop_pct": 1.0}
    timm.models.save_for_hf(model, folder, model_args=arguments, safe_serialization=True)
    (folder / "pytorch_model.bin").unlink(missing_ok=True)
    picture(folder / "image.png", 20, 20)

    model = timm.create_model(f"local-dir:{folder}", pretrained=True).eval()
    transform = timm.data.create_transform(**timm.data.resolve_model_data_config(model))
    pixels = transform(Image.open(folder / "image.png")).unsqueeze(0)
    seen = watch(model.blocks)
    with torch.no_grad():
        features = model.forward_features(pixels)
        case = {"input": pixels, **seen, "features": features,
                "embedding": model.forward_head(features, pre_logits=True),
                "logits": model(pixels)}
    write(folder, case, library="timm", version=timm.__version__, **{"class": "Eva"}, **metadata)


def two_norms():
    """A norm before the attention pooling and one after it; the pooling has GELU where the blocks
    have SwiGLU; layer scale starts at zero."""
    write_timm("timm-eva-two-norms", "eva02_tiny_patch14_224",
               {"global_pool": "map", "use_fc_norm": True, "use_post_transformer_norm": True,
                "init_values": 0.0, "rope_shift_coords": 0.1},
               pooling="attention, then a norm")


def grouped_queries():
    """Sapiens 2: two query heads share one key head in the second block; RMS norms; layer scale on
    the attentions alone."""
    write_timm("timm-sapiens2", "vit_base_patch16_sapiens2", {"num_kv_heads": [2, 1]},
               prefix_tokens="9", pooling="token")


def pooling_epsilon():
    """CoCa's pooling keeps its epsilon where the other norms have another."""
    folder = HERE / "open-clip-coca-epsilon"
    folder.mkdir(exist_ok=True)
    vision = {"image_size": 20, "layers": 2, "width": 16, "head_width": 8, "patch_size": 5,
              "attentional_pool": True, "attn_pooler_heads": 2, "attn_pooler_queries": 3,
              "norm_kwargs": {"eps": 0.01}}
    text = {"context_length": 4, "vocab_size": 8, "width": 8, "heads": 1, "layers": 1}
    model = CustomTextCLIP(12, vision_cfg=dict(vision), text_cfg=dict(text)).eval()
    randomise(model)
    config = {"model_cfg": {"embed_dim": 12, "vision_cfg": vision, "text_cfg": text,
                            "custom_text": True},
              "preprocess_cfg": {"mean": [0.5, 0.4, 0.3], "std": [0.5, 0.4, 0.6],
                                 "interpolation": "bicubic", "resize_mode": "squash"}}
    (folder / "open_clip_config.json").write_text(json.dumps(config, indent=2))
    save_file({key: tensor.contiguous().clone() for key, tensor in model.state_dict().items()
               if key.startswith("visual.")}, folder / "open_clip_model.safetensors")
    picture(folder / "image.png", 20, 20)
    transform = open_clip.transform.image_transform_v2(
        open_clip.transform.PreprocessCfg(size=20, **config["preprocess_cfg"]), is_train=False)
    pixels = transform(Image.open(folder / "image.png")).unsqueeze(0)
    blocks = model.visual.transformer.resblocks
    seen = watch(blocks)
    with torch.no_grad():
        embedding = model.encode_image(pixels)
    write(folder, {"input": pixels, **seen, "features": seen["block_1"], "embedding": embedding},
          library="open_clip", version=open_clip.__version__, architecture="CoCa",
          pooling="attention pooling, ln_post, the first query, @ proj")


if __name__ == "__main__":
    torch.manual_seed(5)
    two_norms()
    pooling_epsilon()
    grouped_queries()
