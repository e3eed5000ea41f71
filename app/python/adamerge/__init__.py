# SPDX-License-Identifier: GPL-3.0-or-later
"""AdaMerge in Python: traces of any model into the studio, and our models, methods and figures.

NumPy alone is needed; `Model` and `show` start the installed programs.
"""

from .model import Block, Error, Figure, Inspection, Model
from .recorder import TRACE_EXTENSION, Recorder
from .studio import show

__all__ = ["Block", "Error", "Figure", "Inspection", "Model", "Recorder", "TRACE_EXTENSION", "show"]
