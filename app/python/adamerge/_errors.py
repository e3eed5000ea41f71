# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong with what comes from outside."""


class Error(RuntimeError):
    """What the core says of an input it cannot use, in its own sentence."""
