"""Changes that only a reader or a type checker would see are left out."""

import sys
from pathlib import Path

import pytest

MUTMUT = Path(sys.prefix, "mutmut")

CODE = """
def work(a):
    logger.info("one of us", extra={"id": a})
    run("SELECT id", cast("int", a))
    raise ValueError("not a number")
"""


@pytest.mark.skipif(not MUTMUT.exists(), reason="`make mutants` installs mutmut")
@pytest.mark.parametrize(
    ("text", "is_changed"),
    [
        ("XXone of usXX", False),
        ("XXidXX", False),
        ("XXSELECT idXX", True),
        ("select id", False),
        ("XXintXX", False),
        ("cast(None", False),
        ("XXnot a numberXX", False),
        ("ValueError(None)", True),
    ],
)
def test_words_and_types_are_not_changed(
    text: str, is_changed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path, str(MUTMUT)])
    from mutation.changes import changes

    (tmp_path / "work.py").write_text(CODE)
    assert any(text in change.after for change in changes(tmp_path, "work.py")) is is_changed
