"""The main window: document tabs, docks, status bar, messages; `menus` has the commands."""
