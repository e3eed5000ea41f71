# SPDX-License-Identifier: GPL-3.0-or-later
"""AdaMerge in Python: traces of any model into the studio, and our methods, models and figures.

`Recorder` and `show` need NumPy alone. `Model`, `merge` and `methods` load the core when first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, List

from .recorder import TRACE_EXTENSION, Recorder
from .studio import show

if TYPE_CHECKING:
    from .core import (Block, Error, Figure, Inspection, Merged, Model, merge, methods)  # noqa: F401

_CORE = ("Block", "Error", "Figure", "Inspection", "Merged", "Model", "merge", "methods")
__all__ = ["Recorder", "TRACE_EXTENSION", "show", *_CORE]


def __getattr__(name: str) -> Any:
    if name in _CORE:
        from . import core

        return getattr(core, name)
    raise AttributeError(f"module 'adamerge' has no attribute '{name}'")


def __dir__() -> List[str]:
    return sorted(__all__)
