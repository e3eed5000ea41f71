# SPDX-License-Identifier: GPL-3.0-or-later
"""The networks that bench.py measures beside ours, in PyTorch as their authors write them.

Vit is the plain Vision Transformer under timm's parameter names, with PyTorch's fused attention.
ToMe is Token Merging as its authors run it (Bolya et al., ICLR 2023, Sec. 3): r tokens merge between
attention and MLP, attention is written out so that log(size) can be added, and a scatter carries the
merges out. Both are written from the papers' descriptions.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional


class Attention(nn.Module):
    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def split(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """[batch, tokens, dim] -> queries, keys, values, [batch, heads, tokens, width] each."""
        batch, tokens, dim = x.shape
        parts = self.qkv(x).reshape(batch, tokens, 3, self.heads, dim // self.heads)
        return parts.permute(2, 0, 3, 1, 4).unbind(0)

    def joined(self, mixed: torch.Tensor) -> torch.Tensor:
        return self.proj(mixed.transpose(1, 2).flatten(2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.joined(functional.scaled_dot_product_attention(*self.split(x)))

    def weighted(self, x: torch.Tensor,
                 size: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        """With log(size) [batch, tokens, 1] added to the logits of each key; and the mean key."""
        queries, keys, values = self.split(x)
        logits = (queries * queries.shape[-1] ** -0.5) @ keys.transpose(-2, -1)
        if size is not None:
            logits = logits + size.log()[:, None, None, :, 0]
        return self.joined(logits.softmax(-1) @ values), keys.mean(1)


class Mlp(nn.Module):
    def __init__(self, dim: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, 4 * dim)
        self.fc2 = nn.Linear(4 * dim, dim)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc2(functional.gelu(self.fc1(x)))


class Block(nn.Module):
    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.attn = Attention(dim, heads)
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.mlp = Mlp(dim)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class PatchEmbed(nn.Module):
    def __init__(self, dim: int, patch: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, dim, patch, patch)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.proj(images).flatten(2).transpose(1, 2)


class Vit(nn.Module):
    def __init__(self, dim: int, depth: int, heads: int, patch: int, size: int,
                 classes: int) -> None:
        super().__init__()
        self.patch_embed = PatchEmbed(dim, patch)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + (size // patch) ** 2, dim))
        self.blocks = nn.ModuleList(Block(dim, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        self.head = nn.Linear(dim, classes)

    def embed(self, images: torch.Tensor) -> torch.Tensor:
        patches = self.patch_embed(images)
        first = self.cls_token.expand(patches.shape[0], -1, -1)
        return torch.cat([first, patches], 1) + self.pos_embed

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        x = self.embed(images)
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x)[:, 0])


def matching(metric: torch.Tensor, r: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Of [batch, tokens, width]: among the tokens at even positions those that stay and those that
    merge, [batch, count, 1] each, and for the latter their destinations among the odd ones."""
    metric = metric / metric.norm(dim=-1, keepdim=True)
    scores = metric[:, ::2] @ metric[:, 1::2].transpose(-1, -2)
    scores[:, 0] = -torch.inf  # the class token
    best, match = scores.max(-1)
    order = best.argsort(-1, descending=True)[..., None]
    merging = order[:, :r]
    return order[:, r:].sort(1).values, merging, match[..., None].gather(1, merging)


def merged(x: torch.Tensor, staying: torch.Tensor, merging: torch.Tensor,
           destinations: torch.Tensor) -> torch.Tensor:
    """Sums of [batch, tokens, width]: even positions that stay, then all odd ones."""
    even, odd = x[:, ::2], x[:, 1::2]
    width = x.shape[-1]
    kept = even.gather(1, staying.expand(-1, -1, width))
    moved = even.gather(1, merging.expand(-1, -1, width))
    odd = odd.scatter_add(1, destinations.expand(-1, -1, width), moved)
    return torch.cat([kept, odd], 1)


class ToMe(nn.Module):
    def __init__(self, vit: Vit, r: int) -> None:
        super().__init__()
        self.vit = vit
        self.r = r

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        x = self.vit.embed(images)
        size = None
        for block in self.vit.blocks:
            attended, metric = block.attn.weighted(block.norm1(x), size)
            x = x + attended
            r = min(self.r, (x.shape[1] - 1) // 2)
            if r > 0:
                edges = matching(metric, r)
                size = torch.ones_like(x[..., :1]) if size is None else size
                x = merged(x * size, *edges)
                size = merged(size, *edges)
                x = x / size
            x = x + block.mlp(block.norm2(x))
        return self.vit.head(self.vit.norm(x)[:, 0])
