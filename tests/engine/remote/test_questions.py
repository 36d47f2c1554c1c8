"""A question that nobody will answer is answered by why."""

import pytest

from nodeforge.engine.protocol import Frame
from nodeforge.engine.remote.address import MachineError
from nodeforge.engine.remote.questions import Questions


def test_what_is_asked_after_the_line_has_gone_does_not_wait():
    sent: list[Frame] = []
    questions = Questions(sent.append, "far")
    before = questions.ask("host.need")
    questions.fail(MachineError("has gone."))
    after = questions.ask("host.result")
    for each in (before, after):
        with pytest.raises(MachineError, match="has gone"):
            each.result(1)
    assert len(sent) == 1
    questions.renew()
    again = questions.ask("host.need")
    assert questions.answer(Frame({"answer": sent[-1].header["id"], "missing": []}))
    assert again.result(1)["missing"] == []
    assert questions.answer(Frame({"answer": "nobody"}))
    assert not questions.answer(Frame({"event": "started"}))
