"""The style sheet; `$name` is a colour of the theme."""

from __future__ import annotations

from collections.abc import Mapping
from string import Template

from nodeforge.settings import shipped

_SHEET = Template("""
QWidget { selection-background-color: $accent; selection-color: $on_accent; }
QMainWindow, QDialog { background: $window; }
QMainWindow::separator { background: $window; width: 4px; height: 4px; }
QMainWindow::separator:hover { background: $accent; }

QMenuBar { background: $panel; padding: 2px 4px; }
QMenuBar::item { padding: 4px 8px; border-radius: 4px; background: transparent; }
QMenuBar::item:selected { background: $raised; }
QMenu { background: $raised; border: 1px solid $line; padding: 4px; }
QMenu::item { padding: 4px 24px 4px 8px; border-radius: 4px; }
QMenu::item:selected { background: $accent; color: $on_accent; }
QMenu::item:disabled { color: $dim; background: transparent; }
QMenu::separator { height: 1px; background: $line; margin: 4px; }
QMenu::icon { padding-left: 4px; }

QToolBar { background: $panel; border: none; border-bottom: 1px solid $line;
  spacing: 4px; padding: 4px 8px; }
QStatusBar { background: $panel; border-top: 1px solid $line; }
QStatusBar::item { border: none; }
QStatusBar QLabel { padding: 0 4px; color: $dim; }

QDockWidget { color: $text; titlebar-close-icon: none; }
QDockWidget::title { background: $panel; padding: 4px 8px; text-align: left; }
QDockWidget > QWidget, QDockWidget QScrollArea > QWidget > QWidget { background: $panel; }

QTabBar { background: transparent; }
QTabBar::tab { background: transparent; color: $dim; padding: 4px 12px; margin: 0;
  border: none; border-bottom: 2px solid transparent; min-height: 20px; }
QTabBar::tab:selected { color: $text; border-bottom: 2px solid $accent; }
QTabBar::tab:hover:!selected { color: $text; background: $raised; }
QTabWidget::pane { border: none; }

QPushButton, QToolButton { background: $raised; border: 1px solid $line; border-radius: 6px;
  padding: 4px 12px; min-height: 16px; }
QToolButton { padding: 4px; background: transparent; border-color: transparent; }
QPushButton:hover, QToolButton:hover { border-color: $accent; }
QPushButton:pressed, QPushButton:checked,
QToolButton:pressed, QToolButton:checked { background: $line; }
QPushButton:disabled { color: $dim; border-color: $line; }
QToolButton:disabled { color: $dim; border-color: transparent; }
QPushButton:focus, QToolButton:focus { border-color: $accent; }
QPushButton[primary="true"], QToolButton[primary="true"] { background: $accent;
  color: $on_accent; border-color: $accent; padding: 4px 12px; font-weight: 600; }
QPushButton[primary="true"]:disabled, QToolButton[primary="true"]:disabled {
  background: $raised; color: $dim; border-color: $line; }
QToolButton::menu-button { border: none; width: 16px; }
QToolButton[popupMode="1"] { padding-right: 16px; }

QLineEdit, QPlainTextEdit, QTextEdit, QComboBox { background: $raised;
  border: 1px solid $line; border-radius: 6px; padding: 4px 8px; min-height: 16px; }
QPlainTextEdit, QTextEdit { padding: 4px; }
QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus, QComboBox:focus { border-color: $accent; }
QAbstractSpinBox > QLineEdit { border: none; background: transparent; padding: 0; min-height: 0; }
QLineEdit:disabled, QPlainTextEdit:disabled, QComboBox:disabled { color: $dim;
  background: $panel; }
QLineEdit[wrong="true"] { border-color: $error; }
QAbstractSpinBox { background: $raised; border: 1px solid $line; border-radius: 6px;
  padding: 0 20px 0 6px; min-height: 22px; }
QAbstractSpinBox:focus { border-color: $accent; }
QAbstractSpinBox:disabled { color: $dim; background: $panel; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button { subcontrol-origin: border; width: 20px;
  border: none; background: transparent; }
QAbstractSpinBox::up-button { subcontrol-position: top right; }
QAbstractSpinBox::down-button { subcontrol-position: bottom right; }
QAbstractSpinBox::up-button:hover, QAbstractSpinBox::down-button:hover { background: $line; }
QAbstractSpinBox::up-arrow { image: url("$icons/caret-up.svg"); width: 10px; height: 10px; }
QAbstractSpinBox::down-arrow { image: url("$icons/caret-down.svg"); width: 10px; height: 10px; }
QComboBox::drop-down { border: none; width: 24px; }
QComboBox::down-arrow { image: url("$icons/caret-down.svg"); width: 12px; height: 12px; }
QComboBox QAbstractItemView { background: $raised; border: 1px solid $line; padding: 4px; }

QCheckBox::indicator:unchecked, QAbstractItemView::indicator:unchecked { width: 12px;
  height: 12px; background: $raised; border: 1px solid $dim; border-radius: 2px; }
QCheckBox::indicator:checked, QAbstractItemView::indicator:checked { width: 12px; height: 12px;
  background: $accent; border: 1px solid $accent; border-radius: 2px;
  image: url("$icons/check-$theme.svg"); }
QCheckBox::indicator:checked:disabled { background: $dim; border-color: $dim; }

QAbstractItemView { background: $panel; border: none; outline: none; }
QAbstractItemView::item { padding: 4px; border-radius: 4px; }
QTreeView::item:middle { border-radius: 0; }
QTreeView::item:first { border-top-right-radius: 0; border-bottom-right-radius: 0; }
QTreeView::item:last { border-top-left-radius: 0; border-bottom-left-radius: 0; }
QAbstractItemView::item:hover { background: $raised; }
QAbstractItemView::item:selected { background: $accent; color: $on_accent; }
LayerList::item:hover { background: transparent; }
QHeaderView::section { background: $panel; color: $dim; border: none;
  border-bottom: 1px solid $line; padding: 4px 8px; }
QTableCornerButton::section { background: $panel; border: none; }
QScrollArea { background: transparent; border: none; }

QScrollBar { background: transparent; border: none; }
QScrollBar:vertical { width: 10px; }
QScrollBar:horizontal { height: 10px; }
QScrollBar::handle { background: $line; border-radius: 3px; margin: 2px; min-height: 24px;
  min-width: 24px; }
QScrollBar::handle:hover { background: $dim; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }

QSlider { min-height: 20px; }
QSlider::groove:horizontal { height: 4px; background: $line; border-radius: 2px; }
QSlider::sub-page:horizontal { background: $accent; border-radius: 2px; }
QSlider::sub-page:horizontal:disabled { background: $line; }
QSlider::handle:horizontal { background: $text; width: 12px; height: 12px; margin: -4px 0;
  border-radius: 6px; }
QSlider::handle:horizontal:hover, QSlider::handle:horizontal:focus { background: $accent; }
QSlider::handle:horizontal:disabled { background: $dim; }

QProgressBar { background: $line; border: none; border-radius: 2px; max-height: 4px; }
QProgressBar::chunk { background: $accent; border-radius: 2px; }
QToolTip { background: $raised; color: $text; border: 1px solid $line; padding: 4px; }
QSplitter::handle { background: $line; }

QLabel[role="dim"] { color: $dim; }
QLabel[role="title"] { font-size: 16px; font-weight: 600; }
QLabel[role="heading"] { font-size: 13px; font-weight: 600; }
QLabel[role="small"] { color: $dim; font-size: 11px; }
QLabel[role="error"] { color: $error; }
QLabel[role="empty"] { color: $dim; padding: 16px; }
QFrame[role="line"] { background: $line; border: none; }
QFrame[role="card"] { background: $raised; border: 1px solid $line; border-radius: 6px; }
QFrame[role="card"]:hover, QFrame[role="card"]:focus { border-color: $accent; }
QFrame[role="outline"] { background: transparent; border: 3px solid $accent; }
QDialogButtonBox { dialogbuttonbox-buttons-have-icons: 0; }
QFrame[role="bar"] { background: $raised; border: none; border-left: 4px solid $error; }
QFrame[role="bar"][kind="warn"] { border-left-color: $warn; }
QFrame[role="bar"][kind="info"] { border-left-color: $accent; }
""")


def style_sheet(theme: str, colours: Mapping[str, str]) -> str:
    """The style sheet of a theme, with `colours` (token to ``#rrggbb``) put in."""
    icons = (shipped("resources") / "icons").as_posix()
    return _SHEET.substitute(colours, icons=icons, theme=theme)
