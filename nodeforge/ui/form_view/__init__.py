"""The form of a document: its entries, and the result large."""

from nodeforge.ui.form_view.view import FormView

__all__ = ["FormView"]
