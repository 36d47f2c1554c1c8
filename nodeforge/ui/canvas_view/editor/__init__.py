"""The Canvas tab: canvas editor widget, Canvas menu commands, picture files, dialogs."""
