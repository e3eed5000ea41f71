# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows files in the studio, in the running one where there is one."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
from pathlib import Path
from typing import Optional, Union

from . import _programs


def _socket_path() -> Path:
    """Where a running studio listens; ui/window/single_instance.cpp has the same rule."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and os.path.isdir(runtime):
        return Path(runtime) / "adamerge-studio.socket"
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(cache) / "adamerge-studio.socket"


def _ask_running(path: Path) -> bool:
    """False: no studio runs."""
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as connection:
        connection.settimeout(5)
        try:
            connection.connect(str(_socket_path()))
            connection.sendall(json.dumps({"open": str(path)}).encode() + b"\n")
            return connection.recv(64).startswith(b"ok")
        except OSError:
            return False


def show(path: Union[str, "os.PathLike[str]"]) -> Optional["subprocess.Popen[bytes]"]:
    """Shows a trace, picture, folder, video or session in the studio.

    A running studio takes it into its window, else one is started: then its process is returned.
    It outlives the Python program. A trace that is written again is shown anew by itself.
    """
    file = Path(path).absolute()
    if not file.exists():
        raise FileNotFoundError(f"{file}: there is no such file to show")
    if _ask_running(file):
        return None
    return subprocess.Popen([_programs.find("adamerge-studio"), str(file)], start_new_session=True,
                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL)
