"""Puts a changed function into a process that has imported its module already."""

import gc
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType

from mutation.change import Change


def patch(file: Path, original: str, change: Change) -> bool:
    """Give every function object made from the changed function its new code; False where that is not enough.

    Default arguments, functions that ran while their module was imported, and functions that they made then, need a new
    process.
    """
    name = _module(file)
    if name is None:
        return True  # it is imported later, from the changed file
    if not change.in_body:
        return False
    new = _matching(compile(change.source, str(file), "exec"), change.function)
    old = _matching(compile(original, str(file), "exec"), change.function)
    place = {code.co_firstlineno: at for at, code in enumerate(old)}
    gc.unfreeze()  # tests/conftest.py freezes what was collected, which gc.get_objects leaves out then
    of_file = [
        function
        for function in gc.get_objects()
        if type(function) is FunctionType and function.__code__.co_filename == str(file)
    ]
    if any(function.__code__.co_qualname.startswith(f"{change.function}.<locals>.") for function in of_file):
        return False
    found = [function for function in of_file if function.__code__.co_qualname == change.function]
    changed = False
    for function in found:
        code = new[place[function.__code__.co_firstlineno]]
        if code.co_freevars != function.__code__.co_freevars:
            return False
        if code != function.__code__:
            function.__code__ = code
            changed = True
    return changed


def _module(file: Path) -> str | None:
    return next((name for name, module in sys.modules.items() if getattr(module, "__file__", None) == str(file)), None)


def _matching(code: CodeType, qualname: str) -> list[CodeType]:
    return [inner for inner in _codes(code) if inner.co_qualname == qualname]


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)
