"""Values that are known while a run is planned: numbers, texts, and lists that fan out.

A node marked as planned is computed with the plan, before keys are made. What it gives counts as
if it stood in the workflow: sizes, choices of a switch and the lengths of lists may hang on it.
"""

from nodeforge.graph.planned.copies import copy_id, number_of, original
from nodeforge.graph.planned.evaluate import Evaluator, Resolve, coerce
from nodeforge.graph.planned.expand import HOLDERS, MOST_COPIES, Expanded, ExpandError, expand
from nodeforge.graph.planned.survey import Survey, expand_shipped, flatten_with_values, survey

__all__ = [
    "HOLDERS",
    "MOST_COPIES",
    "Evaluator",
    "ExpandError",
    "Expanded",
    "Resolve",
    "Survey",
    "coerce",
    "copy_id",
    "expand",
    "expand_shipped",
    "flatten_with_values",
    "number_of",
    "original",
    "survey",
]
