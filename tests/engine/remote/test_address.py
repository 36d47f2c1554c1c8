"""Where another machine is, as people write it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodeforge.engine.remote import is_elsewhere
from nodeforge.engine.remote.address import (
    Address,
    Machine,
    MachineError,
    check_name,
    machine_of,
)
from nodeforge.engine.remote.ssh import (
    AwayError,
    remote_command,
    ssh_command,
    start_ssh,
    told_failure,
)
from nodeforge.settings import Settings

_WORD = st.from_regex(r"[a-z0-9_][A-Za-z0-9_.-]{0,12}", fullmatch=True)
_BOX = Machine("box", Address("box.lan", user="me", program="venv/bin/nodeforge"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ssh://box", Address("box")),
        ("ssh://Me@Box.Lan:2222", Address("Box.Lan", "Me", 2222)),
        ("ssh://box/", Address("box")),
        ("ssh://box/opt/nodeforge", Address("box", program="/opt/nodeforge")),
        ("ssh://box/~/venv/bin/nodeforge", Address("box", program="venv/bin/nodeforge")),
        ("ssh://box?device=cuda:1", Address("box", device="cuda:1")),
        ("ssh://me@[::1]:22/x y", Address("::1", "me", 22, "/x y")),
        ("ssh://do%5Cmain@box", Address("box", "do\\main")),
    ],
)
def test_an_address_is_read(text: str, expected: Address):
    assert Address.parse(text) == expected


@given(
    _WORD, st.just("") | _WORD, st.integers(0, 65535), _WORD.map("/opt/{}".format), st.booleans()
)
def test_what_is_written_reads_the_same(host: str, user: str, port: int, program: str, card: bool):
    address = Address(host, user, port, program, "cuda:0" if card else "auto")
    assert Address.parse(str(address)) == address
    assert Address.parse(str(replace(address, program="bin/x"))).program == "bin/x"


@pytest.mark.parametrize(
    "text",
    [
        *("", "box", "http://box", "ssh://", "ssh://box:port", "ssh://box:99999", "ssh://a b"),
        *("ssh://-oProxyCommand=touch", "ssh://me:secret@box", "ssh://-l@box", "ssh://bo;x"),
        *("ssh://box?device=the card", "ssh://box/a\nb", "ssh://$(x)", "ssh://[::1"),
    ],
)
def test_what_is_none_is_refused_with_a_way_out(text: str):
    with pytest.raises(MachineError) as refused:
        Address.parse(text)
    assert refused.value.way_out


@pytest.mark.parametrize("name", ["", "cuda", "auto", "a b", "-x", "ssh://x", "a/b", "x" * 80])
def test_a_machine_cannot_be_called_like_a_device(name: str):
    with pytest.raises(MachineError):
        check_name(name)


def test_a_device_may_be_a_machine():
    settings = Settings(machines={"box": "ssh://me@box.lan"})
    assert machine_of(settings, "box") == Machine("box", Address("box.lan", "me"))
    assert machine_of(settings, "ssh://other") == Machine("other", Address("other"))
    assert machine_of(settings, "cuda:1") is None
    with pytest.raises(MachineError, match="does not begin"):
        machine_of(Settings(machines={"box": "box.lan"}), "box")


def test_the_shell_there_gets_no_more_than_words(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("SSH_ASKPASS", raising=False)
    address = Address("box", "me", 22, "/opt/my tools/nodeforge; rm x")
    command = ssh_command(address)
    assert command[-2:] == ["--", "box"]
    assert command[command.index("-p") + 1] == "22"
    assert "BatchMode=yes" in command
    assert remote_command(address, ["a b"]) == "'/opt/my tools/nodeforge; rm x' 'a b'"
    monkeypatch.setenv("SSH_ASKPASS", "/usr/bin/ask")
    assert "BatchMode=no" in ssh_command(address)


@pytest.mark.parametrize(
    ("code", "words", "fact", "way_out"),
    [
        (255, "ssh: Could not resolve hostname box.lan: Name", "is not known", "Check its name"),
        (255, "me@box.lan: Permission denied (publickey).", "lets nobody in", "ssh-copy-id me@box"),
        (255, "Host key verification failed.", "host key is not known", "ssh me@box.lan"),
        (255, "WARNING: HOST IDENTIFICATION HAS CHANGED!", "is not the one", "ssh-keygen -R box"),
        (127, "bash: venv/bin/nodeforge: command not found", "no such command", "/path/of/nodef"),
        (127, "", "no such command: venv/bin/nodeforge", "/path/of/nodeforge"),
        (2, "Error: No such command 'worker'.", "too old", "Install this machine's version"),
        (1, "OSError: No space left on device", "no room on its disk", "Free some"),
        (1, "ImportError: no torch", "did not start there: ImportError", "nodeforge doctor"),
        (255, "Connection closed by 10.0.0.1", "cannot be reached: Connection closed", "ssh me@"),
    ],
)
def test_why_there_is_no_line_is_told_with_a_way_out(
    code: int, words: str, fact: str, way_out: str
):
    error = told_failure(_BOX, code, f"motd\n{words}\n")
    assert fact in error.fact
    assert way_out in error.way_out
    assert error.place == "machine 'box'"
    assert isinstance(error, AwayError) is ("cannot be reached" in error.fact)


def test_no_ssh_on_this_machine_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NODEFORGE_SSH", "no-such-ssh -v")
    with pytest.raises(MachineError, match="'no-such-ssh' cannot be started"):
        start_ssh(Address("box"), [])


@pytest.mark.parametrize(
    ("device", "workers", "named", "elsewhere"),
    [
        ("auto", 1, (), False),
        ("box", 1, (), True),
        ("ssh://me@box.lan", 1, (), True),
        ("auto", 1, ("box",), False),  # they are for several
        ("auto", 2, ("box", "other"), True),
        ("auto", 2, ("box", "cpu"), False),
        ("auto", 2, ("box", "other", "cpu"), True),
        ("box", 2, (), True),
    ],
)
def test_models_are_wanted_here_unless_every_worker_is_elsewhere(device, workers, named, elsewhere):
    machines = {"box": "ssh://me@box.lan", "other": "ssh://other.lan"}
    settings = Settings(device=device, workers=workers, worker_devices=named, machines=machines)
    assert is_elsewhere(settings) == elsewhere
