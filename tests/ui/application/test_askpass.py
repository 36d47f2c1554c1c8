"""What ssh asks is shown in a dialog, and answered as ssh reads it."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QDialog, QInputDialog, QLineEdit, QMessageBox
from pytestqt.qtbot import QtBot

from nodeforge.ui.application.askpass import answer

HOST_KEY = "Host 'box' is new.\nAre you sure you want to continue connecting (yes/no/[print])? "


def when_shown(act: Callable[[QDialog], None]) -> None:
    def look() -> None:
        shown = QApplication.activeModalWidget()
        assert isinstance(shown, QDialog)
        act(shown)

    QTimer.singleShot(50, look)


@pytest.mark.parametrize(
    ("button", "expected"),
    [(QMessageBox.StandardButton.Yes, "yes"), (QMessageBox.StandardButton.No, None)],
)
def test_a_host_key_is_accepted_or_not(
    qtbot: QtBot, button: QMessageBox.StandardButton, expected: str | None
):
    def click(shown: QDialog) -> None:
        assert isinstance(shown, QMessageBox)
        assert shown.text() == "Host 'box' is new.\nAre you sure you want to continue connecting?"
        shown.button(button).click()

    when_shown(click)
    assert answer(HOST_KEY, "") == expected


def test_a_passphrase_is_not_shown(qtbot: QtBot):
    def write(shown: QDialog) -> None:
        assert isinstance(shown, QInputDialog)
        field = shown.findChild(QLineEdit)
        assert field is not None
        assert field.echoMode() is QLineEdit.EchoMode.Password
        field.setText("open sesame")
        shown.accept()

    when_shown(write)
    assert answer("Enter passphrase for key 'id': ", "") == "open sesame"
    when_shown(QDialog.reject)
    assert answer("Password: ", "") is None
