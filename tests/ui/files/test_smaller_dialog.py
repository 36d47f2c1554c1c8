"""The dialog that writes a model smaller, with a worker of its own."""

from __future__ import annotations

import shutil

from PySide6.QtWidgets import QWidget

from nodeforge.models import recognise
from nodeforge.settings import Settings, shipped
from nodeforge.ui.files.smaller_dialog import SmallerDialog, smaller_text


def test_the_dialog_proposes_a_name_writes_and_says_what_is_wrong(qtbot, tmp_path):
    source = shipped("resources") / "models/nano/unet/diffusion_pytorch_model.safetensors"
    unet = shutil.copy(source, tmp_path / "unet.safetensors")
    window = QWidget()
    qtbot.addWidget(window)
    dialog = SmallerDialog(Settings(home=tmp_path / "home"), unet, window)
    assert dialog.target.text() == str(tmp_path / "unet_int8.safetensors")
    dialog.form.setCurrentIndex(1)
    assert dialog.target.text() == str(tmp_path / "unet_fp8.safetensors")
    dialog.target.setText(str(unet))
    dialog.save.click()
    assert "is there already" in dialog.fact.text()
    dialog.target.setText(str(tmp_path / "small.safetensors"))
    with qtbot.waitSignal(dialog.written, timeout=60_000) as caught:
        dialog.save.click()
    assert recognise(tmp_path / "small.safetensors").quantisation == "scaled fp8"
    assert "small.safetensors: 0.0" in smaller_text(caught.args[0])
