# SPDX-License-Identifier: GPL-3.0-or-later
"""The core in a process of its own: run as a script with the socket's descriptor and the module's file.

Nothing else of the package is imported, nor NumPy: any version's Python may ask, with any version of NumPy.
"""

import functools
import importlib.util
import os
import signal
import sys
from multiprocessing.connection import Connection


def buffers(value):
    """What the module reads, of the arrays that came as bytes."""
    if isinstance(value, tuple) and value[:1] == ("__array__",):
        format = {"f4": "f", "f8": "d", "i2": "h", "u1": "B"}.get(value[1][1:])
        data = memoryview(value[3])
        return data.cast(format, value[2]) if format and data.nbytes else data
    return value


def load(file):
    """The module, with its names kept from whatever else is loaded."""
    flags = sys.getdlopenflags()
    sys.setdlopenflags(os.RTLD_NOW | os.RTLD_LOCAL)
    try:
        spec = importlib.util.spec_from_file_location("_core", file)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    finally:
        sys.setdlopenflags(flags)


@functools.lru_cache(maxsize=64, typed=True)
def merger(core, *made_for):
    """core.Merger, of which making one takes as long as merging few tokens."""
    return core.Merger(*made_for)


def merger_for(core, groups, made_for):
    """The same, made anew where a file is part of it, which may have changed."""
    if groups is not None:  # whose number is that of the patches
        count, prefix = made_for[2], made_for[5]
        core.check_groups(groups, count - prefix)
    one = merger(core, *made_for)
    return merger.__wrapped__(core, *made_for) if one.reads_file else one


def answer(core, objects, request):
    dropped, number, name, arguments = request
    for old in dropped:
        objects.pop(old, None)
    if name == "merge":
        keys, dtype, groups, made_for = map(buffers, arguments)
        merged = merger_for(core, groups, made_for)(keys, dtype, groups)
        return ("value", [one.parts() for one in merged] if isinstance(merged, list) else merged.parts())
    result = getattr(core if number is None else objects[number], name)(*map(buffers, arguments))
    if isinstance(result, (core.Model, core.Run, core.Evaluation)):
        key = max(objects, default=0) + 1
        objects[key] = result
        return ("object", key)
    return ("value", result)


class Interruptions:
    """SIGINT ends the call in hand, or the next where it came too early; nothing else of this process."""

    def __init__(self):
        self.computing = self.asked = False
        signal.signal(signal.SIGINT, self._hear)

    def _hear(self, _number, _frame):
        if self.computing:
            self.computing = False
            raise KeyboardInterrupt
        self.asked = True

    def within(self, work):
        try:
            self.computing = True
            if self.asked:
                raise KeyboardInterrupt
            result = work()
            self.computing = False
            return result
        except KeyboardInterrupt:
            return ("interrupted", "")
        finally:
            self.computing = self.asked = False


def serve(connection, file):
    interruptions = Interruptions()
    try:
        core = load(file)
    except ImportError as error:
        connection.send(("no module", str(error)))
        return
    connection.send(("value", core.version))
    objects = {}
    while True:
        try:
            request = connection.recv()
        except EOFError:
            return
        try:
            reply = interruptions.within(lambda: answer(core, objects, request))
        except MemoryError as error:
            reply = ("memory", str(error))
        except TypeError as error:
            reply = ("type", str(error))
        except Exception as error:
            reply = ("error", str(error))
        connection.send(reply)


if __name__ == "__main__":
    serve(Connection(int(sys.argv[1])), sys.argv[2])
