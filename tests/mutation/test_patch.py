"""A change reaches the functions of a running process."""

import gc
import importlib
import sys
from pathlib import Path

import pytest

MUTMUT = Path(sys.prefix, "mutmut")


@pytest.mark.skipif(not MUTMUT.exists(), reason="`make mutants` installs mutmut")
def test_a_function_that_the_collection_of_tests_has_frozen_gets_its_new_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path, str(MUTMUT)])
    from mutation.changes import changes
    from mutation.patch import patch

    file, original = tmp_path / "patched_work.py", "def work(a):\n    return a + 1\n"
    file.write_text(original)
    module = importlib.import_module("patched_work")
    change = next(one for one in changes(tmp_path, file.name) if one.after == "a - 1").made()
    gc.freeze()
    assert (patch(file, original, change), module.work(5)) == (True, 4)
    monkeypatch.delitem(sys.modules, "patched_work")
