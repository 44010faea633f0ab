# SPDX-License-Identifier: MIT
"""`import libkeep` loads what all need (bindings §6); a subsystem's module is loaded when a name of it is asked for."""

from __future__ import annotations

import pickle

import libkeep
import pytest
from conftest import RunPython
from libkeep import Outcome, OutcomeAction, OutcomeKind, base, memory, packet, tracker

MODULES = (libkeep._errors, base, memory, packet, tracker)
NAMES = [name for module in MODULES for name in module.__all__]


def loaded_by(run_python: RunPython, program: str) -> set[str]:
    """The modules that there are after a program, of those that not everybody needs."""
    done = run_python(f"{program}\nimport sys\nprint(*sys.modules)")
    assert done.stderr == ""
    return {"libkeep.packet", "libkeep.tracker", "asyncio", "select"}.intersection(done.stdout.split())


def test_who_has_secrets_alone_loads_nothing_else(run_python: RunPython) -> None:
    program = "import libkeep\nwith libkeep.Secret.generate(32) as secret: libkeep.Sealed.from_secret(secret).close()"
    assert loaded_by(run_python, program) == set()
    assert loaded_by(run_python, "from libkeep import memory\nimport libkeep.native") == set()


def test_who_has_packets_does_not_load_the_tracker(run_python: RunPython) -> None:
    program = """
import libkeep
with libkeep.Secret.generate(32) as key:
    sender, receiver = libkeep.Session(session_id=1, tx_key=key), libkeep.Session(session_id=1, rx_key=key)
assert receiver.open(sender.seal([b"event"])).info.kind is libkeep.PacketKind.DATA
"""
    assert loaded_by(run_python, program) == {"libkeep.packet"}


@pytest.mark.parametrize("program", ["import libkeep\nlibkeep.tracker", "import libkeep.tracker\nlibkeep.Tracker()"])
def test_who_asks_for_a_module_loads_it_alone(run_python: RunPython, program: str) -> None:
    assert loaded_by(run_python, program) == {"libkeep.tracker", "select"}


@pytest.mark.parametrize("name", ["packet.Session", "tracker.Beacon"])
def test_a_name_is_its_modules_whichever_is_asked_for_first(run_python: RunPython, name: str) -> None:
    class_name = name.split(".")[1]
    done = run_python(f"import libkeep\nprint(libkeep.{class_name}, libkeep.{class_name} is libkeep.{name})")
    assert done.stdout == f"<class 'libkeep.{name}'> True\n", done.stderr


def test_the_names_are_those_of_the_modules() -> None:
    assert libkeep.__all__ == ["memory", "packet", "tracker", *NAMES]
    for module in MODULES:
        for name in module.__all__:
            assert getattr(libkeep, name) is getattr(module, name)


def test_a_star_takes_them_all(run_python: RunPython) -> None:
    done = run_python(f"from libkeep import *\nprint({set(NAMES)} - set(globals()), packet.parse.__name__)")
    assert done.stdout == "set() parse\n", done.stderr


def test_dir_tells_of_what_is_not_loaded_yet(run_python: RunPython) -> None:
    done = run_python(f"import libkeep\nprint({set(NAMES)} - set(dir(libkeep)))")
    assert done.stdout == "set()\n", done.stderr


def test_what_stands_in_for_a_name_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("Secret", "Session"):
        monkeypatch.setattr(libkeep, name, None)
    assert "Session" in dir(libkeep)
    assert libkeep.Secret is libkeep.Session is None  # type: ignore[comparison-overlap]


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(AttributeError, match="module 'libkeep' has no attribute 'Sesion'"):
        libkeep.Sesion  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(ImportError, match="cannot import name 'Sesion'"):
        from libkeep import Sesion  # type: ignore[attr-defined]  # noqa: F401


def test_tools_that_look_for_their_marks_load_nothing(run_python: RunPython) -> None:
    assert loaded_by(run_python, "import libkeep\nassert not hasattr(libkeep, '__wrapped__')") == set()


def test_c_makes_objects_of_classes_that_are_not_loaded_yet(run_python: RunPython) -> None:
    program = """
from libkeep import native
info = native.keep_packet_parse(native.keep_packet_handshake_frame(b"message", None))
print(type(native.keep_tracker_new({}, None)), type(info), repr(info.kind))
"""
    expected = "<class 'libkeep.tracker.Tracker'> <class 'libkeep.packet.PacketInfo'> <PacketKind.HANDSHAKE: 2>\n"
    done = run_python(program)
    assert done.stdout == expected, done.stderr


@pytest.mark.parametrize("call", ["keep_packet_pool_new(1, 7)", "keep_tracker_stats(7)"])
def test_c_refuses_other_objects_before_their_class_is_loaded(run_python: RunPython, call: str) -> None:
    done = run_python(f"from libkeep import native\ntry: native.{call}\nexcept TypeError as error: print(error)")
    assert "is required, not" in done.stdout, done.stderr


def test_what_was_pickled_loads_its_module(run_python: RunPython) -> None:
    error = libkeep.KeepSystemError("what happened", code=5)
    outcome = Outcome(OutcomeKind.FAILED, OutcomeAction.NONE, 5, 0, 0)
    done = run_python(f"import pickle\nprint(*pickle.loads({pickle.dumps((error, outcome))!r}))")
    assert done.stdout == f"{error} {outcome}\n", done.stderr


def test_a_load_that_failed_is_tried_again(run_python: RunPython) -> None:
    program = """
from libkeep import native
import libkeep
register = native.keep_facade
del native.keep_facade
try: libkeep.Session
except AttributeError as error: print(error)
native.keep_facade = register
packet = libkeep.PacketPool(1).acquire()
packet.build(None, [b"message"], kind=libkeep.PacketKind.HANDSHAKE)
print(type(packet) is libkeep.Packet, libkeep.packet.parse(packet).kind is libkeep.PacketKind.HANDSHAKE)
"""
    done = run_python(program)
    assert done.stdout == "module 'libkeep.native' has no attribute 'keep_facade'\nTrue True\n", done.stderr


def test_a_class_that_has_objects_keeps_its_place() -> None:
    packet.PacketPool(1).close()
    with pytest.raises(TypeError, match="is no facade of libkeep"):
        libkeep.native.keep_facade(type("PacketPool", (libkeep.native.PacketPool,), {}))


def test_threads_that_ask_at_once_get_the_same(run_python: RunPython) -> None:
    program = """
import libkeep, threading
names, found = ["Session", "Beacon", "PacketInfo", "Health"] * 4, []
threads = [threading.Thread(target=lambda name=name: found.append(getattr(libkeep, name))) for name in names]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(found), found.count(libkeep.Session), found.count(libkeep.Beacon))
"""
    done = run_python(program)
    assert done.stdout == "16 4 4\n", done.stderr
