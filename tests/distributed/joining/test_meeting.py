"""The meeting of a run, in a thread: who comes, who is refused, who is lost."""

import contextlib
import json
import socket
import threading
import time

import pytest

from statewise._runtime import processes
from statewise.distributed.joining import meeting as meetings
from statewise.distributed.joining import visit as visits
from statewise.distributed.joining.meeting import Meeting
from statewise.distributed.joining.members import this_process
from statewise.distributed.joining.visit import Visit

LONG = 60.0


@pytest.fixture
def meet(monkeypatch):
    """Return a function that begins a meeting; it gives the address."""
    monkeypatch.setattr(meetings, "start_service", lambda processes: (4711, "a service"))
    monkeypatch.setattr(meetings, "TICK", 0.05)
    monkeypatch.setattr(meetings, "_LAST", 0.0)
    with contextlib.ExitStack() as ends:

        def begin(count, patience=LONG):
            listener = ends.enter_context(socket.create_server(("127.0.0.1", 0)))
            owner, other = socket.socketpair()
            meeting = Meeting(listener, count, patience)
            thread = threading.Thread(target=meeting.run, args=(owner.fileno(),), daemon=True)
            thread.start()
            ends.callback(owner.close)
            ends.callback(thread.join, LONG)
            ends.callback(other.close)  # by then there are no members, or there was no run
            return listener.getsockname()

        yield begin


@pytest.fixture
def come():
    """Return a function that connects as a process and says hello; it gives the connection."""
    with contextlib.ExitStack() as ends:

        def connect(address, process, count, versions=(), **changes):
            connection = socket.create_connection(address, timeout=LONG)
            hello = this_process(process, count)._replace(**changes)
            hello = hello._replace(versions=hello.versions | dict(versions))
            connection.sendall(hello.hello())
            file = connection.makefile("rw")
            connection.close()  # the file keeps it open
            ends.callback(hang_up, file)
            return file

        yield connect


def hang_up(connection):
    """Close a connection, which may be closed or broken already."""
    with contextlib.suppress(OSError):
        connection.close()


def heard(connection, word):
    """Return the first answer with a word in it."""
    for line in connection:
        if word in (answer := json.loads(line)):
            return answer
    raise AssertionError(f"the meeting ended without {word!r}")


def test_all_are_welcome_once_all_have_come(meet, come):
    address = meet(3)
    some = [come(address, process, 3, chance="alike") for process in (2, 0)]
    assert heard(some[0], "waiting")["waiting"] == [1]
    everybody = [*some, come(address, 1, 3, chance="alike")]
    assert [heard(one, "welcome") for one in everybody] == [{"welcome": 4711, "seed": None}] * 3


def test_who_draws_otherwise_is_given_a_seed_for_all(meet, come):
    address = meet(2)
    both = [come(address, process, 2, chance=str(process)) for process in (0, 1)]
    first, second = (heard(one, "welcome")["seed"] for one in both)
    assert first == second
    assert 0 <= first < 2**31


def test_another_version_of_statewise_is_refused_by_all_in_words(meet, come):
    address = meet(2)
    both = [come(address, 0, 2), come(address, 1, 2, versions={"statewise": "0.0.1"})]
    for one in both:
        assert "statewise is 0.0.1 in process 1" in heard(one, "refused")["refused"]


def test_a_number_that_came_twice_is_refused_and_the_first_stays(meet, come):
    address = meet(2)
    first = come(address, 0, 2)
    heard(first, "waiting")
    assert "come already" in heard(come(address, 0, 2), "refused")["refused"]
    second = come(address, 1, 2)
    assert heard(first, "welcome")["welcome"] == heard(second, "welcome")["welcome"] == 4711


@pytest.mark.parametrize(
    ("end", "why"),
    [
        (hang_up, "was killed"),
        (lambda one: one.write('{"failed": "KeyError: 3"}\n') and one.flush(), "KeyError: 3"),
        (lambda one: one.write('{"bye": 1}\n') and one.flush(), "come to its end"),
        (lambda one: one.write("GET / HTTP/1.0\n") and one.flush(), "nobody understands"),
    ],
    ids=["killed", "failed", "ended", "nonsense"],
)
def test_the_others_are_told_who_is_lost_and_why(meet, come, end, why):
    address = meet(3)
    everybody = [come(address, process, 3) for process in range(3)]
    for one in everybody:
        heard(one, "welcome")
    end(everybody[1])
    for one in (everybody[0], everybody[2]):
        answer = heard(one, "lost")
        assert answer["lost"].startswith("Process 1 of 3 (pid ")
        assert why in answer["lost"]
        assert answer["ended"] == (why == "come to its end")


def test_who_gives_no_sign_of_life_is_lost(meet, come):
    address = meet(2, patience=0.5)
    awake, silent = (come(address, process, 2) for process in (0, 1))
    heard(silent, "welcome")
    lost = threading.Event()

    def stay():
        while not lost.is_set():
            with contextlib.suppress(OSError, ValueError):
                awake.write('{"alive": 1}\n')
                awake.flush()
            time.sleep(0.05)

    threading.Thread(target=stay, daemon=True).start()
    answer = heard(awake, "lost")["lost"]
    lost.set()
    assert answer.startswith("Process 1 of 2")
    assert "no sign of life" in answer


def test_strangers_at_the_door_leave_the_run_alone(meet, come):
    address = meet(1)
    for words in (b"GET / HTTP/1.1\r\n\r\n", b'["a", 1]\n', b'{"statewise": 1}\n', b"\xff\xfe\n"):
        with socket.create_connection(address, timeout=LONG) as stranger:
            stranger.sendall(words)
            assert stranger.recv(100) == b""  # the meeting hangs up
    assert heard(come(address, 0, 1), "welcome")


def visit(address, wait=1.0, others=LONG):
    return Visit(address, this_process(1, 2), wait=wait, come=others, patience=LONG)


def test_an_address_where_nobody_is_says_so_in_time():
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
    begin = time.monotonic()
    with pytest.raises(ConnectionError, match=f"Nobody answers at address='127.0.0.1:{address[1]}"):
        visit(address)
    assert time.monotonic() - begin < 10  # nine times what it was to try for


def test_an_address_where_something_else_is_says_so():
    def serve(server):
        connection, _ = server.accept()
        connection.recv(1000)
        connection.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")
        connection.close()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, args=(server,), daemon=True).start()
        with pytest.raises(ConnectionError, match="isn't a run of statewise"):
            visit(server.getsockname())


def test_others_that_do_not_come_are_named(meet):
    with pytest.raises(TimeoutError, match=r"Process 0 of 2 didn't come within 1 seconds"):
        visit(meet(2), others=1.0)


def test_what_the_meeting_refuses_is_raised(meet):
    with pytest.raises(RuntimeError, match="one of 3"):
        visit(meet(3))


def test_a_lost_process_is_noted(meet, come, monkeypatch):
    monkeypatch.setattr(processes, "_Now", type("_Now", (processes._Now,), {}))
    monkeypatch.setattr(processes._Now, "noted", threading.Event())
    monkeypatch.setattr(visits, "GRACE", 0.0)
    monkeypatch.setattr(visits, "TICK", 0.05)
    address = meet(2)
    other = come(address, 0, 2)
    mine = visit(address)
    assert (mine.port, heard(other, "welcome")["welcome"]) == (4711, 4711)
    mine.watch()
    other.close()
    assert processes._Now.noted.wait(LONG)
    assert processes.lost().startswith("Process 0 of 2")
    hang_up(mine._connection)
    for thread in threading.enumerate():
        if thread.name == "statewise-watch":
            thread.join(LONG)
