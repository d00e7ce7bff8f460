"""NO_PROXY: what we reach directly is what the real curl reaches directly."""

import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.settings.outside.network import environment_network
from core.settings.outside.no_proxy import NoProxy, is_loopback, plain_host

ENTRIES = (
    "example.com",
    ".example.com",
    "*.example.com",
    "..example.com",
    "example.com.",
    ".example.com.",
    "EXAMPLE.com",
    "ample.com",
    "com",
    "*",
    "*.com",
    "example.*",
    "www.example.com",
    "example.com:80",
    "example.com:8080",
    "http://example.com",
    "example.com/",
    "a.example.org",
    "10.0.0.1",
    "10.0.0.1:80",
    "10.1",
    "010.0.0.1",
    "10.0.0.1.",
    "10.0.0.0/8",
    "10.0.0.1/32",
    "10.0.0.1/33",
    "10.0.0.0/08",
    "10.128.0.0/9",
    "0.0.0.0/0",
    "192.168.0.0/16",
    "192.168.3.128/25",
    "192.168.*",
    "2001:db8::1",
    "2001:DB8::1",
    "[2001:db8::1]",
    "fd00::5",
    "::ffff:10.0.0.1",
    "localhost",
    ".",
    "-",
    "💥",
)
HOSTS = (
    "example.com",
    "www.example.com",
    "WWW.Example.COM",
    "a.b.example.com",
    "example.com.",
    "example.com:8080",
    "nonexample.com",
    "example.org",
    "a.example.org",
    "com",
    "10.0.0.1",
    "10.0.0.1:8080",
    "10.200.3.4",
    "11.0.0.1",
    "192.168.3.4",
    "192.168.3.200",
    "192.169.0.1",
    "[2001:db8::1]",
    "[2001:db8::1]:8080",
    "[2001:db8:8000::1]",
    "[fd00::5]",
)
SEPARATORS = (",", ", ", " ", ",,", " , ", "\t")

Curl = Callable[[str, Sequence[str]], list[bool]]


class _Anyone(BaseHTTPRequestHandler):
    """The proxy, and every server: one asks the former with CONNECT, the latter with GET."""

    def do_GET(self) -> None:
        self._answer(204)

    def do_CONNECT(self) -> None:
        self._answer(403)

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.end_headers()


@pytest.fixture(scope="module")
def curl() -> Iterator[Curl]:
    """Ask the real curl, and nobody but loopback: is each of these hosts reached directly?"""
    program = shutil.which("curl")
    assert program is not None, "curl is needed: it decides"
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Anyone)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    place = f"127.0.0.1:{server.server_port}"

    def decide(no_proxy: str, hosts: Sequence[str]) -> list[bool]:
        told = subprocess.run(
            [
                *(program, "-q", "--silent", "--output", os.devnull),
                # Whatever is asked directly is asked here; a proxy is then asked by CONNECT.
                *("--connect-to", f"::{place}", "--connect-timeout", "10"),
                *("--write-out", "%{http_connect} %{http_code}\n"),
                *(part for host in hosts for part in (f"http://{host}/", "--output", os.devnull)),
            ],
            env={"PATH": os.environ["PATH"], "http_proxy": f"http://{place}", "NO_PROXY": no_proxy},
            capture_output=True,
            text=True,
        ).stdout.split("\n")
        answers = [line for line in told if line]
        assert len(answers) == len(hosts), told
        assert set(answers) <= {"000 204", "403 000", "403 403"}, set(answers)
        return [answer == "000 204" for answer in answers]

    yield decide
    server.shutdown()
    server.server_close()


def ours(no_proxy: str, hosts: Sequence[str]) -> list[bool]:
    """Decide for the same hosts, by the same variables."""
    network = environment_network({"http_proxy": "http://127.0.0.1:9", "NO_PROXY": no_proxy})
    bare = (host if host.endswith("]") else host.partition(":8080")[0] for host in hosts)
    return [network.way_to("http", host) is None for host in bare]


@pytest.mark.parametrize("entry", ENTRIES)
def test_one_entry_means_what_it_means_to_curl(entry: str, curl: Curl) -> None:
    assert dict(zip(HOSTS, ours(entry, HOSTS), strict=True)) == dict(
        zip(HOSTS, curl(entry, HOSTS), strict=True)
    )


@settings(max_examples=25)
@given(
    st.lists(st.sampled_from(ENTRIES), min_size=2, max_size=6),
    st.lists(st.sampled_from(SEPARATORS), min_size=6, max_size=6),
)
def test_lists_mean_what_they_mean_to_curl(
    curl: Curl, entries: list[str], separators: list[str]
) -> None:
    text = "".join(one + gap for one, gap in zip(entries, separators, strict=False))
    assert dict(zip(HOSTS, ours(text, HOSTS), strict=True)) == dict(
        zip(HOSTS, curl(text, HOSTS), strict=True)
    )


# curl 7.88 takes an IPv6 address for a name here; these are the decisions of curl 8.23.
@pytest.mark.parametrize(
    ("entry", "host", "is_direct"),
    [
        ("2001:db8::/32", "2001:db8::1", True),
        ("2001:db8::/33", "2001:db8::1", True),
        ("2001:db8::/33", "2001:db8:8000::1", False),
        ("2001:db8::/0", "2001:db8::", True),
        ("::/0", "2001:db8::1", False),
        ("2001:db8::/129", "2001:db8::1", False),
        ("2001:db8:0:0::1", "2001:db8::1", True),
        ("fe80::/10", "fe80::1%eth0", True),
        ("2001:db8::1%eth0", "2001:db8::1", False),
        ("10.0.0.0/x", "10.0.0.0", False),
        ("10.0.0.0/8/9", "10.2.2.2", False),
        ("10.0.0.0/-8", "10.2.2.2", False),
        ("10.0.0.0/99999999999999999999", "10.2.2.2", False),
    ],
)
def test_networks_are_those_of_a_newer_curl(entry: str, host: str, is_direct: bool) -> None:
    assert NoProxy(entry).matches(plain_host(host)) is is_direct


@pytest.mark.parametrize("separator", [*SEPARATORS, ";", "\n"])
def test_the_lower_case_name_is_the_stronger_one_and_a_blank_one_is_none(separator: str) -> None:
    both = {"http_proxy": "http://127.0.0.1:9", "NO_PROXY": "b.com"}
    network = environment_network({**both, "no_proxy": "a.com"})
    assert [network.way_to("http", host) is None for host in ("a.com", "b.com")] == [True, False]
    network = environment_network({**both, "no_proxy": " "})
    assert network.way_to("http", "b.com") is None
    is_one = separator in SEPARATORS
    assert NoProxy(f"x{separator}a.com").matches("a.com") is is_one


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [
        ("localhost", True),
        ("LOCALHOST.", True),
        ("studio.localhost", True),
        ("127.0.0.1", True),
        ("127.255.3.4", True),
        ("127.1", True),
        ("0x7f000001", True),
        ("[::1]", True),
        ("[0:0:0:0:0:0:0:1]", True),
        ("[::ffff:127.0.0.1]", True),
        ("localhost.example.com", False),
        ("notlocalhost", False),
        ("128.0.0.1", False),
        ("127.0.0.1.example.com", False),
        ("[::2]", False),
    ],
)
def test_loopback_is_told_by_its_name_and_address(host: str, is_ours: bool) -> None:
    assert is_loopback(plain_host(host)) is is_ours
    network = environment_network({"all_proxy": "http://127.0.0.1:9"})
    assert (network.way_to("https", host) is None) is is_ours
