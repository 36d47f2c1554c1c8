"""The real ssh client, to asyncssh's server: keys, host keys, and a run."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from nodeforge.engine import events
from nodeforge.engine.remote.address import Address, Machine, MachineError
from nodeforge.engine.remote.checking import check_machine
from nodeforge.engine.remote.remote_client import client_by_ssh
from nodeforge.settings import Settings
from support.other_machine import OtherMachine, RemoteWatched, SshServer, program
from support.processes import chain

pytestmark = pytest.mark.skipif(shutil.which("ssh") is None, reason="there is no ssh client here")


@pytest.fixture(scope="module")
def server(there: OtherMachine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    made = SshServer(tmp_path_factory.mktemp("ssh"), there)
    yield made
    made.close()


@pytest.fixture
def machine(server: SshServer, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.setenv("NODEFORGE_SSH", server.command())
    monkeypatch.delenv("SSH_ASKPASS", raising=False)
    return Machine("far", Address("far", program=program(server.folder), device="cpu"))


def failure(settings: Settings, machine: Machine) -> MachineError:
    client = client_by_ssh(settings, machine, lambda _: None)
    with pytest.raises(MachineError) as failed:
        client.open()
    client.close()
    return failed.value


def test_a_run_over_ssh(here: Settings, machine: Machine, there: OtherMachine):
    far = RemoteWatched(here, there, client_of=machine)
    end = far.run(chain(4, text="over ssh"), targets=["end"], previews=True)
    assert isinstance(end, events.RunFinished), far.events
    first = far.remote.traffic
    far.run(chain(4, text="again"), "again", targets=["end"])
    sent, received = far.remote.traffic
    assert sent - first[0] + received - first[1] < 64 * 1024
    far.close()


def test_what_a_machine_tells_of_itself(here: Settings, machine: Machine):
    found = check_machine(here, machine)
    assert [each["device"] for each in found.devices] == ["cpu"]
    assert found.differences == []


def test_a_key_that_is_not_known_there(
    here: Settings, machine: Machine, server: SshServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("NODEFORGE_SSH", server.command(key="other_key"))
    error = failure(here, machine)
    assert "lets nobody in" in error.fact
    assert "ssh-copy-id" in error.way_out


def test_a_host_key_that_is_not_known_here(
    here: Settings, machine: Machine, server: SshServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("NODEFORGE_SSH", server.command(known="empty"))
    error = failure(here, machine)
    assert "host key is not known yet" in error.fact
    assert "ssh far" in error.way_out


def test_no_nodeforge_there(here: Settings, machine: Machine):
    error = failure(here, Machine("far", Address("far", program="/opt/none/nodeforge")))
    assert "has no such" in error.fact
    assert "/path/of/nodeforge" in error.way_out


def test_a_login_script_that_prints_does_no_harm(
    here: Settings, machine: Machine, server: SshServer, there: OtherMachine
):
    loud = Path(machine.address.program).with_name("loud")
    loud.write_text(f'#!/bin/sh\necho Welcome to far\nexec {machine.address.program} "$@"\n')
    loud.chmod(0o755)
    client = client_by_ssh(
        here, Machine("far", Address("far", program=str(loud), device="cpu")), print
    )
    client.open()
    client.close()
