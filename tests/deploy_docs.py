"""What the deployment pages recommend, read from them, and run by the real proxies."""

import contextlib
import re
import socket
import ssl
import subprocess
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.modules import ROOT
from tests.proxy_programs import START_TIMEOUT_S, Proxy, caddy, nginx
from tests.running_app import free_port

HOST = "studio.example.org"
STUDIO = "127.0.0.1:8501"
SUB_PATH = "/inkling"
# No certificate authority of the world is asked, and none is installed.
CADDY_OPTIONS = """{{
	admin off
	local_certs
	skip_install_trust
	auto_https disable_redirects
	https_port {port}
}}
"""


def block(program: str, title: str, page: str | None = None) -> str:
    """Return the block below a page's comment `<!-- title -->`, as a reader would copy it."""
    text = (ROOT / (page or f"docs/deploy/{program}.md")).read_text(encoding="utf-8")
    language = {"nginx": "nginx", "caddy": "caddyfile"}[program]
    found = re.search(rf"<!-- {title} -->\n *```{language}\n(.*?)\n *```", text, re.DOTALL)
    assert found is not None, f"{program}: no block {title!r}"
    return textwrap.dedent(found[1]) + "\n"


def stripping(program: str, text: str) -> str:
    """Return a block as its page says that the sub-path is stripped."""
    ways = {
        "nginx": (f"proxy_pass http://{STUDIO};", f"proxy_pass http://{STUDIO}/;"),
        "caddy": ("handle ", "handle_path "),
    }
    assert ways[program][0] in text
    return text.replace(*ways[program])


@contextlib.contextmanager
def proxying(program: str, text: str, upstream: str, folder: Path) -> Iterator[httpx.Client]:
    """Run a block, only ports and certificates replaced; yield a client that checks its TLS."""
    port = free_port()
    assert text.count(STUDIO) == 1
    text = text.replace(STUDIO, upstream.removeprefix("http://"))
    with contextlib.ExitStack() as stack:
        if program == "nginx":
            certificate, key = _certificate(folder)
            assert "listen 443 ssl;" in text
            text = text.replace("listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;")
            text = text.replace(f"/etc/ssl/{HOST}.pem", str(certificate))
            text = text.replace(f"/etc/ssl/{HOST}.key", str(key))
            stack.enter_context(nginx(text, port))
        else:
            text = CADDY_OPTIONS.format(port=port) + text
            certificate = _root_of(stack.enter_context(caddy(text, port)))
        trusted = ssl.create_default_context(cafile=str(certificate))
        _wait_for_certificate(port, trusted)
        yield stack.enter_context(
            httpx.Client(
                base_url=f"https://127.0.0.1:{port}",
                headers={"Host": f"{HOST}:{port}"},
                verify=trusted,
                timeout=60,
                trust_env=False,
                event_hooks={"request": [_name_host]},
            )
        )


def _wait_for_certificate(port: int, trusted: ssl.SSLContext) -> None:
    """Wait for a TLS handshake that succeeds: Caddy listens before it has made its certificate."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        try:
            with (
                socket.create_connection(("127.0.0.1", port), timeout=START_TIMEOUT_S) as plain,
                trusted.wrap_socket(plain, server_hostname=HOST),
            ):
                return
        except ssl.SSLError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _name_host(request: httpx.Request) -> None:
    request.extensions = {**request.extensions, "sni_hostname": HOST}


def _certificate(folder: Path) -> tuple[Path, Path]:
    certificate, key = folder / "studio.pem", folder / "studio.key"
    command = [
        *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
        *("-nodes", "-days", "2", "-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}"),
        *("-keyout", str(key), "-out", str(certificate)),
    ]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    return certificate, key


def _root_of(proxy: Proxy) -> Path:
    """Return the root of Caddy's own authority; it is made before anything listens."""
    (root,) = proxy.folder.rglob("authorities/local/root.crt")
    return root
