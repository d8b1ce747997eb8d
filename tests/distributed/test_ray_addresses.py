"""An address where no Ray cluster is is told of in words, and soon; Ray isn't needed for that."""

import socket
import sys
import threading
import time

import pytest

from statewise.distributed.ray_cluster import SECONDS, check_reached, connect


@pytest.fixture
def listener():
    """Return a function that answers whoever connects, once; it returns the address."""
    servers = []

    def listen(answer):
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)

        def serve():
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                answer(connection)

        threading.Thread(target=serve, daemon=True).start()
        return f"127.0.0.1:{server.getsockname()[1]}"

    yield listen
    for server in servers:
        server.close()


@pytest.mark.parametrize(
    "address", ["nowhere", "", "host:", "host:0", "host:65536", "http://a:1", "a b:3", "host:port"]
)
def test_what_is_no_address_is_refused(address):
    with pytest.raises(ValueError, match=r"expected host:port"):
        check_reached(address)


@pytest.mark.parametrize("address", [6379, ["a:1"]])
def test_an_address_is_text(address):
    with pytest.raises(TypeError, match="address must be text"):
        connect(address)


def test_a_port_where_nobody_listens_is_told():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    for address in (f"127.0.0.1:{port}", f"ray://127.0.0.1:{port}"):
        with pytest.raises(ConnectionError, match=f"no Ray cluster is at {address}: .*refused"):
            check_reached(address)


def test_who_says_nothing_is_no_cluster(listener):
    gone = threading.Event()
    address = listener(lambda connection: gone.wait(10))
    begun = time.monotonic()
    with pytest.raises(ConnectionError, match="nobody answers"):
        check_reached(address, seconds=0.3)
    assert time.monotonic() - begun < SECONDS  # far below what Ray itself waits
    gone.set()


def test_who_speaks_otherwise_is_no_cluster(listener):
    address = listener(lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    with pytest.raises(ConnectionError, match="what answers there is none"):
        check_reached(address)


def test_who_speaks_http2_may_be_one(listener):
    check_reached(listener(lambda connection: connection.sendall(b"\0\0\0\4\0\0\0\0\0")))


def test_without_ray_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ImportError, match=r"pip install 'statewise\[ray\]'"):
        connect("127.0.0.1:6379")
