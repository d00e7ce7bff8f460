"""Reverse proxies as people run them: real nginx and Caddy with a given configuration."""

import contextlib
import grp
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 10.0

# Everything that nginx would write outside its own folder, and what it must not do here.
_NGINX = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
{user}
events {{}}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {text}
}}
"""


@dataclass(frozen=True)
class Proxy:
    """A running reverse proxy: the port it was told to listen on, and where it logs."""

    port: int
    folder: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def log(self) -> str:
        """Return what it has written."""
        written = [path.read_text(errors="replace") for path in sorted(self.folder.glob("*.log"))]
        return "\n".join(written)


@contextlib.contextmanager
def nginx(http_block: str, port: int, *, worker: str = "www-data") -> Iterator[Proxy]:
    """Run nginx with what stands in its `http { }` until the block ends.

    `http_block` has `server { listen …; }` on `port`; the upstream's connections are `worker`'s.
    """
    program = _program("nginx", "/usr/sbin/nginx")
    _need_user(worker)
    with _folder(worker) as folder:
        is_root = os.geteuid() == 0
        configuration = folder / "nginx.conf"
        configuration.write_text(
            _NGINX.format(
                folder=folder,
                text=http_block,
                user=f"user {worker} {_group_of(worker)};" if is_root else "",
            )
        )
        command = [program, "-e", str(folder / "start.log"), "-c", str(configuration)]
        with _running(command, Proxy(port, folder), None) as proxy:
            yield proxy


@contextlib.contextmanager
def caddy(caddyfile: str, port: int, *, user: str = "www-data") -> Iterator[Proxy]:
    """Run Caddy with a Caddyfile that listens on `port`, as `user`, until the block ends.

    Its administration socket is off, and it asks nobody for certificates unless the text does.
    """
    program = _program("caddy", "/usr/bin/caddy")
    _need_user(user)
    with _folder(user) as folder:
        configuration = folder / "Caddyfile"
        text = caddyfile
        if not caddyfile.lstrip().startswith("{"):
            text = f"{{\n    admin off\n    auto_https off\n}}\n{caddyfile}"
        configuration.write_text(text)
        configuration.chmod(0o644)
        command = [program, "run", "--config", str(configuration), "--adapter", "caddyfile"]
        with _running(command, Proxy(port, folder), user) as proxy:
            yield proxy


def _program(name: str, usual: str) -> str:
    found = shutil.which(name) or (usual if Path(usual).exists() else None)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def _need_user(name: str) -> None:
    own = pwd.getpwuid(os.geteuid()).pw_name
    if name != own and os.geteuid() != 0:
        pytest.skip(f"a program of {name}'s can only be started by root")


def _group_of(name: str) -> str:
    return grp.getgrgid(pwd.getpwnam(name).pw_gid).gr_name


@contextlib.contextmanager
def _folder(user: str) -> Iterator[Path]:
    # Not in pytest's own folder: nobody but its owner may enter that one.
    folder = Path(tempfile.mkdtemp(prefix="inkling-proxy-"))
    try:
        if os.geteuid() == 0:
            entry = pwd.getpwnam(user)
            os.chown(folder, entry.pw_uid, entry.pw_gid)
        folder.chmod(0o755)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _running(command: list[str], proxy: Proxy, user: str | None) -> Iterator[Proxy]:
    own = pwd.getpwuid(os.geteuid()).pw_name
    as_user = user if user is not None and user != own else None
    with (proxy.folder / "output.log").open("wb") as output:
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=proxy.folder,
            env={"PATH": os.environ.get("PATH", ""), "HOME": str(proxy.folder)},
            user=as_user,
            group=pwd.getpwnam(as_user).pw_gid if as_user else None,
            extra_groups=[] if as_user else None,
        )
    try:
        _wait_until_it_listens(process, proxy)
        yield proxy
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_TIMEOUT_S)


def _wait_until_it_listens(process: "subprocess.Popen[bytes]", proxy: Proxy) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", proxy.port), timeout=5).close()
            return
        except OSError:
            assert process.poll() is None, proxy.log()
            assert time.monotonic() < deadline, f"it does not listen\n{proxy.log()}"
            time.sleep(0.02)
