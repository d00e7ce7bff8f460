"""What the environment of a machine may hold, and which variable is then named as a problem."""

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

SECRET = "Pr0xyPassw0rd"
NETWORK_VARIABLES = (
    *("http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSLKEYLOGFILE"),
)


@dataclass(frozen=True)
class Fault:
    """Variables, the one that is named, and the form its value is shown in."""

    variables: dict[str, str]
    named: str | None = None
    shown: str = ""

    @property
    def id(self) -> str:
        return ascii("&".join(f"{name}={value}" for name, value in self.variables.items()))

    def placed(self, folder: Path) -> dict[str, str]:
        """Return the variables, with the files they name made in `folder`."""
        return {name: _filled(value, folder) for name, value in self.variables.items()}

    def form(self, folder: Path) -> str:
        """Return what of the value may be shown."""
        return _filled(self.shown, folder)


def _filled(text: str, folder: Path) -> str:
    return text.replace("{folder}", str(folder)).replace("{secret}", SECRET)


def fine(**variables: str) -> Fault:
    return Fault(variables)


def bad(shown: str, **variables: str) -> Fault:
    return Fault(variables, next(iter(variables)), shown)


FAULTS = (
    # Values that can be used, and whose proxy is not there: practice does not ask it.
    fine(ALL_PROXY="socks://127.0.0.1:9/"),
    fine(all_proxy="socks5://127.0.0.1:9"),
    fine(ALL_PROXY="socks5h://user:{secret}@127.0.0.1:9"),
    fine(HTTPS_PROXY="http://[::1]:9"),
    fine(https_proxy="[::1]:9", no_proxy="[::1],::/0,10.0.0.0/8:80,💥, ,*.x"),
    fine(HTTP_PROXY="127.0.0.1:9", HTTPS_PROXY="127.0.0.1:9"),
    fine(HTTPS_PROXY="https://127.0.0.1:9", NO_PROXY="*"),
    fine(HTTPS_PROXY="http://user:{secret}/@#:@127.0.0.1:9/path"),
    fine(HTTP_PROXY="", HTTPS_PROXY="  ", ALL_PROXY="\t", NO_PROXY=",", SSL_CERT_FILE=""),
    fine(NO_PROXY="\x01;//[[::", no_proxy="//"),
    fine(ALL_PROXY="nonsense://x", NO_PROXY="*"),
    fine(SSL_CERT_FILE="{folder}/good.pem"),
    fine(SSL_CERT_DIR="{folder}/hashed"),
    fine(REQUESTS_CA_BUNDLE="{folder}/not-there", CURL_CA_BUNDLE="{folder}"),
    fine(SSLKEYLOGFILE="{folder}/not/there"),
    # Values that nothing can be made of.
    bad("socks4://127.0.0.1:1080", ALL_PROXY="socks4://127.0.0.1:1080"),
    bad("socks4a://…@127.0.0.1:1080", https_proxy="socks4a://user:{secret}@127.0.0.1:1080"),
    bad("ftp://127.0.0.1:21", HTTPS_PROXY="ftp://127.0.0.1:21"),
    bad("http://…", HTTPS_PROXY="http://[::1"),
    bad("http://…", HTTPS_PROXY="http://user:{secret}"),
    bad("http://127.0.0.1:99999", ALL_PROXY="http://127.0.0.1:99999"),
    bad("…", HTTPS_PROXY="::1"),
    bad("http://…", HTTP_PROXY="http://"),
    bad("…", HTTPS_PROXY="一个代理 {secret}"),
    bad("…", HTTPS_PROXY="💥"),
    bad("…", https_proxy="\udcff\udcfe"),
    bad("none", ALL_PROXY="none"),
    bad("…", ALL_PROXY="{{}}{0}%s", HTTPS_PROXY="", HTTP_PROXY=" "),
    bad("ftp://x", https_proxy="ftp://x", http_proxy="ftp://x", ALL_PROXY="ftp://x"),
    bad("{folder}/not-there", SSL_CERT_FILE="{folder}/not-there"),
    bad("{folder}", SSL_CERT_FILE="{folder}"),
    bad("{folder}/words.pem", SSL_CERT_FILE="{folder}/words.pem"),
    bad("{folder}/empty.pem", SSL_CERT_FILE="{folder}/empty.pem"),
    bad("{folder}/not-there", SSL_CERT_DIR="{folder}/not-there"),
    bad("{folder}/good.pem", SSL_CERT_DIR="{folder}/good.pem"),
    bad("{folder}/unhashed", SSL_CERT_DIR="{folder}/unhashed"),
)


def make_files(folder: Path) -> Path:
    """Make what the values above name; return the certificate, and beside it its key."""
    folder.mkdir(exist_ok=True)
    certificate = folder / "good.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt"),
            *("ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost,DNS:chat.example"),
            *("-keyout", str(folder / "key.pem"), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    (folder / "words.pem").write_text("no certificate at all\n")
    (folder / "empty.pem").write_text("")
    for name in ("unhashed", "hashed"):
        (folder / name).mkdir(exist_ok=True)
        (folder / name / "good.pem").write_bytes(certificate.read_bytes())
    subprocess.run(["openssl", "rehash", str(folder / "hashed")], check=True, capture_output=True)
    return certificate


def server_context(folder: Path) -> ssl.SSLContext:
    """Return what a server with the certificate of `make_files` needs."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "good.pem", folder / "key.pem")
    return context
