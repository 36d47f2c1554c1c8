"""A picture's lock: the same however its results were got, bounded, and private."""

import json
import shutil
import socket
from pathlib import Path

import numpy as np
import pytest

from nodeforge import media
from nodeforge.engine.replay.differences import Difference, Differs, Finding, find
from nodeforge.engine.replay.lock import (
    LockedNode,
    LockError,
    PictureLock,
    lock_text,
    read_lock,
)
from nodeforge.engine.replay.replaying import read_picture
from nodeforge.engine.replay.verdict import compare_pixels
from nodeforge.formats import write
from nodeforge.formats.pictures import texts_of_file
from nodeforge.values.picture_lock import LOCK, MOST_BYTES, deflated, inflated
from support.studio import Studio


def lock(path: Path) -> dict:
    return json.loads(inflated(texts_of_file(path)[LOCK]))


def test_a_cached_a_resumed_and_a_fresh_run_give_the_same_lock(studio: Studio):
    document = studio.document(schedule={"steps": 4})
    stopped = Studio(studio.home.with_name("other"))
    shutil.copytree(studio.home, stopped.home)
    fresh = studio.save(document, studio.session(memory=False))
    cached = studio.save(document, studio.session(memory=False))
    assert not stopped.save(document, stopped.session(memory=False), stop_after=2)
    resumed = stopped.save(document, stopped.session(memory=False))
    assert len(fresh) == 2
    for item, paths in enumerate(zip(fresh, cached, resumed, strict=True)):
        locks = [lock(path) for path in paths]
        assert locks[0] == locks[1] == locks[2]
        assert locks[0]["item"] == item
    nodes = lock(fresh[0])["nodes"]
    assert [*nodes][-1] == "save"
    assert len(nodes["denoise"]["steps"]) == 4
    assert all(nodes["denoise"]["steps"])
    assert all(node["digests"] for name, node in nodes.items() if name != "save")


def test_a_result_of_a_process_with_other_threads_says_so(studio: Studio):
    studio.environment["threads"] = "3"
    studio.save(studio.document(), studio.session(memory=False))
    studio.environment["threads"] = "4"
    (path, _) = studio.save(studio.document(), studio.session(memory=False))
    nodes = lock(path)["nodes"]
    assert nodes["denoise"]["made_in"] == {"threads": "3"}
    assert "made_in" not in nodes["save"]


def test_a_result_is_compared_with_where_it_was_made_not_where_it_was_saved():
    made = LockedNode("a.b", digests={"o": "1"}, made_in={"threads": "3"})
    then = PictureLock("a", environment={"threads": "4"}, nodes={"a": made})
    again = LockedNode("a.b", digests={"o": "1"})
    assert (
        find(then, PictureLock("a", environment={"threads": "3"}, nodes={"a": again})) == Finding()
    )
    other = LockedNode("a.b", digests={"o": "2"})
    found = find(then, PictureLock("a", environment={"threads": "4"}, nodes={"a": other}))
    assert found.causes == (Difference(Differs.ENVIRONMENT, "threads", "3", "4"),)


def test_every_kind_of_picture_carries_it_deflated(studio: Studio, tmp_path: Path):
    session = studio.session()
    for format in ("png", "jpeg", "webp"):
        path = studio.save(studio.document(save={"format": format}), session)[1]
        assert b'"digests"' not in path.read_bytes()
        found = read_picture(path)[1]
        assert (found.item, len(found.nodes["denoise"].steps)) == (1, 3)
    assert studio.replay(path).alike == "identical"


@pytest.mark.parametrize("format", ["mp4", "webm", "mkv", "gif", "apng", "webp"])
def test_videos_carry_it(format: str, tmp_path: Path):
    text, frames = lock_text(PictureLock("save")), np.zeros((2, 16, 16, 3), np.uint8)
    kind = media.VideoFormat(format)
    (path,) = media.save_video(tmp_path, "v", frames, 8.0, kind, text={LOCK: text})
    assert inflated(texts_of_file(path)[LOCK]) == text
    assert compare_pixels(path, path)[0] == "identical"


def test_it_names_no_person_machine_or_folder(studio: Studio):
    path = studio.pictures[0]
    text = texts_of_file(path)[LOCK]
    assert not [each for each in (str(studio.home), socket.gethostname()) if each in text]
    assert "fox" not in text
    assert lock(path)["models"].keys() == {"tiny", "style.safetensors"}
    assert lock(path)["packs"].keys() == {"tint"}


@pytest.mark.parametrize(("nodes", "steps"), [(10, 20_000), (400, 50), (3_000, 0)])
def test_what_it_has_no_room_for_is_left_out_and_named(nodes: int, steps: int):
    made = LockedNode(
        "a.b", values={"p": "0" * 8}, digests={"o": "1" * 16}, steps=["2" * 12] * steps
    )
    text = lock_text(PictureLock("n0", nodes={f"n{place}": made for place in range(nodes)}))
    assert len(text) <= MOST_BYTES
    found = read_lock(text, "p.png")
    assert found.left_out
    assert found.node == "n0"


def test_texts_without_a_lock_stay_as_they_are():
    assert deflated({"parameters": "a"}) == {"parameters": "a"}
    text = lock_text(PictureLock("save"))
    assert inflated(deflated({LOCK: text})[LOCK]) == text


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"node": 3}', "deflated:!", "deflated:AAAA", '{"node":"a","lock":9}'],
)
def test_a_damaged_lock_is_an_error_with_a_way_out(text: str):
    with pytest.raises(LockError) as caught:
        read_lock(text, "p.png")
    assert caught.value.way_out


def test_a_picture_without_one_is_told_so():
    with pytest.raises(LockError, match="holds no lock"):
        read_lock(None, "p.png")


def test_a_sound_is_refused_before_the_run(studio: Studio, tmp_path: Path):
    texts = {"nodeforge": write(studio.document()).decode(), LOCK: lock_text(PictureLock("save"))}
    sound = media.Sound(np.zeros((1, 800), np.float32), 8000)
    path = media.save_audio(tmp_path, "s", sound, media.AudioFormat.FLAC, text=texts)
    with pytest.raises(LockError, match="only pictures and videos are judged"):
        read_picture(path)
