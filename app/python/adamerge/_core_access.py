# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the core computes: in this process, in one of its own, or in the installed program.

The module `_core` brings Debian's LibTorch. A PyTorch from PyPI brings another one, and two of them in one
process share what must not be shared, and crash. So where such a PyTorch is installed, the same module runs in a
process beside; and where there is no module, the program `adamerge` is run.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib.machinery
import importlib.util
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import warnings
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Iterator, List, Optional, Tuple

import numpy as np

from . import _worker
from ._errors import Error

_VARIABLE = "ADAMERGE_CORE"
_WAYS = ("module", "process", "program")
_DEBIAN_PYTHON = "/usr/bin/python3"
_PATIENCE = 2  # seconds that an interrupted call may go on within a library's function
_TYPES = {name: np.dtype(name) for name in ("<f4", "<i4", "<i8")}  # that the module packs
_log = logging.getLogger("adamerge")


def _module_file() -> Optional[Path]:
    """In the folder that an environment variable names, beside this file, in a build folder of this source tree, or
    where the Debian package puts it."""
    here = Path(__file__).resolve()
    named = os.environ.get("ADAMERGE_MODULE")
    folders = [Path(named)] if named else [
        here.parent, *(root / "build" / "python" for root in here.parents[3:4]),
        Path("/usr/lib/python3/dist-packages/adamerge")]
    for folder in folders:
        for file in sorted(folder.glob("_core*.so")):
            return file
    return None


def _is_for_this_python(file: Path) -> bool:
    return any(file.name == "_core" + suffix for suffix in importlib.machinery.EXTENSION_SUFFIXES)


def _foreign_torch() -> Optional[str]:
    """The folder of a PyTorch that brings its own LibTorch, imported or not; None: there is none."""
    module = sys.modules.get("torch")
    origin = getattr(module, "__file__", None)
    for finder in sys.meta_path:
        if module is None and origin is None and finder is not _NoSecondLibTorch:
            with contextlib.suppress(ImportError, AttributeError):
                origin = getattr(finder.find_spec("torch", None), "origin", None)
    if not origin:
        return None
    folder = Path(origin).resolve().parent
    # Debian's has links to the system's, which the module has too.
    own = any(folder in library.resolve().parents for library in (folder / "lib").glob("libtorch_cpu*"))
    return str(folder) if own else None


class _NoSecondLibTorch:
    """A finder that says what would otherwise be a crash: a PyTorch that was installed meanwhile."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> None:
        if name != "torch":
            return
        folder = _foreign_torch()
        if folder is not None:
            raise ImportError(
                f"{folder} brings another LibTorch than that of adamerge's core, which is in this process already: "
                f"import torch before it computes, or set the environment variable {_VARIABLE}=process")


def _packed(value: Any) -> Any:
    """Arrays as the module packs its own, for the pipe."""
    if isinstance(value, np.ndarray):
        return ("__array__", value.dtype.str, value.shape, value.tobytes())
    return value


def unpacked(value: Any) -> Any:
    """NumPy's arrays of those that the module packed, which are read-only."""
    if type(value) is tuple and value[0] == "__array__":
        return np.ndarray(value[2], _TYPES[value[1]], value[3])
    if isinstance(value, dict):
        return {key: unpacked(one) for key, one in value.items()}
    return value


@contextlib.contextmanager
def _whole() -> Iterator[None]:
    """Ctrl-C is heard at the end, so that no message is cut in two."""
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield
        return
    heard: List[int] = []
    signal.signal(signal.SIGINT, lambda number, _frame: heard.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
    if heard:
        handler(heard[0], None)


class _Proxy:
    """An object of the process beside."""

    def __init__(self, process: "Process", number: int):
        self._process, self._number = process, number

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *arguments: self._process.call(self._number, name, arguments)

    def __del__(self) -> None:
        self._process.dropped.append(self._number)


class Process:
    """The module in a process of its own, which ends with this one."""

    def __init__(self, python: str, file: Path):
        ours, theirs = socket.socketpair()
        with theirs:
            # A session of its own: Ctrl-C of the terminal comes by way of call().
            self._child = subprocess.Popen(
                [python, "-I", _worker.__file__, str(theirs.fileno()), str(file)], pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True)
        self._connection = Connection(ours.detach())
        self._lock = threading.Lock()
        self.process = os.getpid()
        self.dropped: List[int] = []
        self.version = self._receive()
        atexit.register(self.end)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *arguments: self.call(None, name, arguments)

    def call(self, number: Optional[int], name: str, arguments: Tuple[Any, ...]) -> Any:
        if os.getpid() != self.process:
            raise Error("this was made before the process was forked, and its core is the parent's: make it anew here")
        with self._lock:
            try:
                with _whole():
                    dropped, self.dropped = self.dropped, []
                    self._connection.send((dropped, number, name, tuple(map(_packed, arguments))))
                self._connection.poll(None)
            except OSError:
                raise self._ended() from None
            except BaseException:
                with _whole():
                    self._interrupt()
                raise
            with _whole():
                return self._receive()

    def end(self) -> None:
        if os.getpid() == self.process:
            self._connection.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(2)
            self._child.kill()

    def _receive(self) -> Any:
        try:
            kind, value = self._connection.recv()
        except (EOFError, OSError):
            raise self._ended() from None
        if kind == "object":
            return _Proxy(self, value)
        if kind == "value":
            return value
        raise {"memory": MemoryError, "type": TypeError, "interrupted": KeyboardInterrupt,
               "no module": ImportError}.get(kind, Error)(value)

    def _interrupt(self) -> None:
        """Stops the call in hand and takes its answer away; one that does not stop ends with its process."""
        self._child.send_signal(signal.SIGINT)
        if not self._connection.poll(_PATIENCE):
            self._ended()
            return
        with contextlib.suppress(Error, EOFError, OSError):
            if self._connection.recv()[0] != "interrupted":
                # It had ended by itself: the signal must not end the next one.
                self._connection.send(([], None, "torch_version", ()))
                self._connection.recv()

    def _ended(self) -> Error:
        global _chosen
        self._child.kill()
        status = self._child.wait()
        _chosen = None
        why = f"signal {-status}" if status < 0 else f"status {status}"
        return Error(f"the process that computes for adamerge ended ({why}): open the model again")


_chosen: Any = None
_way = ""


def chosen() -> Tuple[Any, str]:
    """core() and way()."""
    global _chosen, _way
    if _way != "module":
        forked = isinstance(_chosen, Process) and _chosen.process != os.getpid()
        if not _way or _chosen is None and _way != "program" or forked:
            _chosen, _way = _choose()
    return _chosen, _way


def core() -> Any:
    """The module `_core`, or what answers like it; None: there is only the program."""
    return chosen()[0]


def way() -> str:
    """How core() computes: "module", "process" or "program"."""
    return chosen()[1]


def _choose() -> Tuple[Any, str]:
    wanted = os.environ.get(_VARIABLE, "")
    if wanted and wanted not in _WAYS:
        raise Error(f"the environment variable {_VARIABLE} takes one of {', '.join(_WAYS)}, not '{wanted}'")
    file = _module_file()
    if wanted == "program" or file is None:
        if wanted in ("module", "process"):
            raise Error(f"{_VARIABLE}={wanted}: the module of the core is not installed here (make python)")
        if file is None:
            warnings.warn("adamerge's core is not installed as a Python module, so every call runs the program "
                          "'adamerge' and loads the model anew", RuntimeWarning, stacklevel=4)
        return None, "program"
    foreign = _foreign_torch()
    if wanted == "module" and foreign is not None:
        raise Error(f"{_VARIABLE}=module: {foreign} brings another LibTorch, and two in one process crash")
    if wanted != "process" and foreign is None and _is_for_this_python(file):
        try:
            module = _worker.load(str(file))
            module.set_error(Error)
            sys.meta_path.insert(0, _NoSecondLibTorch)  # type: ignore[arg-type]
            return module, "module"
        except ImportError as error:
            if wanted == "module":
                raise Error(f"{file}: cannot be loaded: {error}") from None
            reason = str(error)
    else:
        reason = f"{foreign} brings another LibTorch" if foreign else f"{file.name} is of another Python"
    _log.info("adamerge computes in a process of its own: %s", reason)
    own = [sys.executable] if _is_for_this_python(file) and sys.executable else []
    problem = ""
    for python in [*own, _DEBIAN_PYTHON]:
        try:
            return Process(python, file), "process"
        except (ImportError, OSError, Error) as error:
            problem = str(error)
    raise Error(f"{file}: cannot be loaded: {problem}")
