"""`nodeforge doctor`: libraries that do not belong together."""

from pathlib import Path

import pytest

from nodeforge.cli import doctor

BROKEN = "raise RuntimeError('operator torchvision::nms does not exist')\n"


def installed(folder: Path, code: str) -> None:
    """A package torchvision in `folder`, as pip leaves it."""
    (folder / "torchvision").mkdir()
    (folder / "torchvision" / "__init__.py").write_text(code)
    info = folder / "torchvision-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: torchvision\nVersion: 0.1.0\n")


@pytest.mark.parametrize(("code", "problems"), [(BROKEN, 1), ("", 0)])
def test_a_torchvision_that_does_not_fit_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, problems: int
):
    installed(tmp_path, code)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    found = doctor._torchvision()
    assert len(found) == problems
    for fact, mend in found:
        assert "torchvision 0.1.0 does not fit torch" in fact
        assert "operator torchvision::nms does not exist" in fact
        assert mend == "pip uninstall torchvision"
