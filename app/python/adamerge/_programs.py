# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the installed programs are."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

_VARIABLES = {"adamerge": "ADAMERGE_PROGRAM", "adamerge-studio": "ADAMERGE_STUDIO"}


def find(program: str) -> str:
    """Named by an environment variable, in PATH, or in a build folder of this source tree."""
    built = Path(__file__).resolve().parents[3] / "build" / "bin" / program
    for candidate in (os.environ.get(_VARIABLES[program]), shutil.which(program), str(built)):
        if candidate and os.access(candidate, os.X_OK):
            return candidate
    raise FileNotFoundError(f"{program} is not installed here: install it, or name the program in the "
                            f"environment variable {_VARIABLES[program]}")
