import pytest

from nodeforge.graph.changes import (
    EntryChanged,
    FieldChanged,
    LinkAdded,
    LinkRemoved,
    NodeAdded,
    NodeRemoved,
    ValueChanged,
)
from nodeforge.graph.document import Document
from nodeforge.graph.edits import (
    ABSENT,
    AddNodes,
    Link,
    Move,
    RemoveNodes,
    Rename,
    SetValue,
)
from nodeforge.graph.history import History
from nodeforge.graph.model import Node
from support.graphs import boxes, end_of, start_of, text_to_image


@pytest.fixture
def told():
    return []


@pytest.fixture
def document(told) -> Document:
    made = Document(text_to_image())
    made.subscribe(told.append)
    return made


def test_nodes_are_found_by_path():
    document = boxes()
    assert document.node("box/sum").type == "values.sum"
    assert document.group("box") is document.node("box").graph
    assert document.group("") is document.graph


def test_listeners_hear_what_an_edit_changed_once_it_is_complete(document, told):
    document.perform(SetValue("noise", "seed", 8))
    document.perform(Move({"noise": (1.0, 2.0)}))
    document.perform(Rename("noise", "Start"))
    document.perform(Link(start_of("negative.conditioning"), end_of("denoise.positive")))
    assert told == [
        (ValueChanged("noise", "seed", 7, 8),),
        (EntryChanged("positions", "noise", ABSENT, [1.0, 2.0]),),
        (FieldChanged("noise", "title", "", "Start"),),
        (
            LinkRemoved(end_of("denoise.positive"), start_of("prompt.conditioning")),
            LinkAdded(end_of("denoise.positive"), start_of("negative.conditioning")),
        ),
    ]


def test_listeners_hear_undo_and_redo(document, told):
    node = Node("graph.note")
    document.perform(AddNodes([node]))
    assert document.undo() == "add note"
    assert document.redo() == "add note"
    assert told == [
        (NodeAdded("note", node),),
        (NodeRemoved("note", node),),
        (NodeAdded("note", node),),
    ]


def test_changes_replayed_on_a_copy_keep_it_equal(document):
    copy = Document(text_to_image())
    replayer = _Replayer(copy)
    document.subscribe(replayer)
    document.perform(RemoveNodes(["denoise", "decode"]))
    document.perform(SetValue("noise", "seed", 3))
    document.undo()
    document.undo()
    document.redo()
    assert copy == document


class _Replayer:
    def __init__(self, document):
        self.document = document

    def __call__(self, changes):
        for change in changes:
            change.apply(self.document)


def test_a_listener_may_edit_and_every_listener_hears_all_in_order(document, told):
    first = []

    def answer(changes):
        first.append(changes)
        if changes[0] == ValueChanged("noise", "seed", 7, 8):
            document.perform(SetValue("noise", "seed", 9))

    other = Document(text_to_image())
    other.subscribe(answer)
    later = []
    other.subscribe(later.append)
    document = other
    document.perform(SetValue("noise", "seed", 8))
    assert (
        first
        == later
        == [
            (ValueChanged("noise", "seed", 7, 8),),
            (ValueChanged("noise", "seed", 8, 9),),
        ]
    )


def test_a_subscription_can_end(told):
    document = Document(text_to_image())
    end = document.subscribe(told.append)
    end()
    document.perform(SetValue("noise", "seed", 8))
    assert told == []


def test_a_failed_edit_is_not_heard_of(document, told):
    with pytest.raises(Exception, match="no node"):
        document.perform(SetValue("nobody", "seed", 8))
    assert told == []


def test_there_may_be_nothing_to_undo(document):
    assert (document.undo(), document.redo()) == ("", "")


def test_a_new_edit_ends_what_could_be_redone(document):
    document.perform(SetValue("noise", "seed", 8))
    document.undo()
    document.perform(SetValue("noise", "seed", 9))
    assert document.redo() == ""
    assert document.node("noise").values["seed"] == 9


def test_the_history_is_bounded_in_bytes_and_keeps_the_last_edit():
    document = Document(text_to_image(), history=History(limit=100_000))
    for number in range(20):
        document.perform(SetValue("prompt", "text", f"{number}" * 20_000))
    assert document.history.bytes <= 100_000
    assert 1 <= len(document.history) < 5
    document.perform(SetValue("prompt", "text", "x" * 1_000_000))
    assert len(document.history) == 1
    assert document.undo() == "change text of prompt"
    assert document.node("prompt").values["text"] == "19" * 20_000


def test_a_document_knows_whether_it_differs_from_its_file(document):
    history = document.history
    assert not history.modified
    document.perform(SetValue("noise", "seed", 8, gesture=1))
    assert history.modified
    history.mark_saved()
    assert not history.modified
    document.perform(SetValue("noise", "seed", 9, gesture=1))
    assert history.modified
    document.undo()
    assert not history.modified
    document.undo()
    assert history.modified
    document.perform(SetValue("noise", "seed", 10))
    document.undo()
    assert history.modified  # what was saved can no longer be reached


def test_forgetting_the_saved_state_leaves_the_document_modified():
    document = Document(text_to_image(), history=History(limit=1))
    document.perform(SetValue("noise", "seed", 8))
    document.perform(SetValue("noise", "seed", 9))
    document.undo()
    assert document.history.modified
    document.history.mark_saved()
    assert not document.history.modified
