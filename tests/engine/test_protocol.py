import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodeforge.engine import events
from nodeforge.engine.events import ErrorReport, Source
from nodeforge.engine.protocol import Frame, ProtocolError, read_frame, write_frames

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), json_values), st.binary())
def test_a_frame_comes_back_as_it_was_sent(header: dict[str, object], payload: bytes):
    stream = io.BytesIO()
    write_frames(stream, [Frame(header, payload), Frame({"next": 1})])
    stream.seek(0)
    assert read_frame(stream) == Frame(header, payload)
    assert read_frame(stream) == Frame({"next": 1})
    assert read_frame(stream) is None


@given(st.integers(0, 40))
def test_a_stream_that_ends_within_a_frame_has_ended(length: int):
    data = Frame({"event": "x"}, b"payload").to_bytes()
    assert length >= len(data) or read_frame(io.BytesIO(data[:length])) is None


@pytest.mark.parametrize(
    "data",
    [
        b"Traceback (most recent call last)",
        struct.pack(">4sII", b"NFG1", 2**31, 0),
        struct.pack(">4sII", b"NFG1", 0, 2**31),
        struct.pack(">4sII", b"NFG1", 3, 0) + b"{no",
    ],
)
def test_what_is_no_frame_is_refused(data: bytes):
    with pytest.raises(ProtocolError):
        read_frame(io.BytesIO(data))


@pytest.mark.parametrize(
    "event",
    [
        events.Started("r", "a"),
        events.Progress("r", "a", 1, 20, 0.5),
        events.Preview("r", "a", 1, 2, 1, b"\0\1\2\3\4\5"),
        events.Finished("r", "a", Source.COMPUTED, 0.5, 1000),
        events.Reused("r", {"a": Source.DISK, "b": Source.MEMORY}),
        events.Notice("r", "a", "tiled"),
        events.Saved("r", "a", "out/1.png"),
        events.Failed("r", "a", ErrorReport("X", "fact.", "place", "way out.", inputs={"p": "1"})),
        events.RunCancelled("r"),
        events.RunFinished("r", ["out/1.png"], 1.5, 20),
        events.WorkerDied("r", -9, "last words"),
    ],
    ids=lambda event: type(event).__name__,
)
def test_an_event_comes_back_as_it_was_sent(event: events.Event):
    stream = io.BytesIO(events.to_frame(event).to_bytes())
    frame = read_frame(stream)
    assert frame is not None
    assert events.from_frame(frame) == event
