# SPDX-License-Identifier: GPL-3.0-or-later
"""The core in a process of its own: run as a script with the socket's descriptor and the module's file.

Nothing else of the package is imported, so that any version's Python may ask.
"""

import importlib.util
import os
import sys
from multiprocessing.connection import Connection


def pack(value):
    """Arrays as bytes: two processes may have two versions of NumPy, whose pickles differ."""
    if hasattr(value, "__array_interface__") and hasattr(value, "tobytes"):
        return ("__array__", value.dtype.str, value.shape, value.tobytes())
    if isinstance(value, (list, tuple)):
        return type(value)(pack(one) for one in value)
    if isinstance(value, dict):
        return {key: pack(one) for key, one in value.items()}
    return value


def unpack(value):
    import numpy

    if isinstance(value, tuple) and value[:1] == ("__array__",):
        return numpy.frombuffer(value[3], value[1]).reshape(value[2])
    if isinstance(value, (list, tuple)):
        return type(value)(unpack(one) for one in value)
    if isinstance(value, dict):
        return {key: unpack(one) for key, one in value.items()}
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


def answer(core, objects, request):
    dropped, number, name, arguments = request
    for old in dropped:
        objects.pop(old, None)
    result = getattr(core if number is None else objects[number], name)(*unpack(arguments))
    if isinstance(result, (core.Model, core.Run, core.Evaluation)):
        key = max(objects, default=0) + 1
        objects[key] = result
        return ("object", key)
    return ("value", pack(result))


def serve(connection, file):
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
        except KeyboardInterrupt:  # of a call that had just ended
            continue
        try:
            reply = answer(core, objects, request)
        except KeyboardInterrupt:
            reply = ("interrupted", "")
        except MemoryError as error:
            reply = ("memory", str(error))
        except TypeError as error:
            reply = ("type", str(error))
        except Exception as error:
            reply = ("error", str(error))
        connection.send(reply)


if __name__ == "__main__":
    serve(Connection(int(sys.argv[1])), sys.argv[2])
