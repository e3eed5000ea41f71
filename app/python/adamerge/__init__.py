# SPDX-License-Identifier: GPL-3.0-or-later
"""AdaMerge in Python: traces of any model into the studio, and our models, methods and figures.

NumPy alone is needed. docs/traces.md is the manual's page.
"""

from ._errors import Error
from .merging import Merged, merge
from .model import Block, Evaluation, Figure, Inspection, Model, Step
from .recorder import TRACE_EXTENSION, Recorder
from .studio import show

__all__ = ["Block", "Error", "Evaluation", "Figure", "Inspection", "Merged", "Model", "Recorder", "Step",
           "TRACE_EXTENSION", "merge", "show"]
