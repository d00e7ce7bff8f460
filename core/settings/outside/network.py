"""The ways into the network: the proxy and certificate variables, read once into a routing table.

A URL leads to no proxy, to a proxy, or to the problem that stands in its way. What cannot be used
is the problem of those who would go there, and of nobody else; loopback is always reached directly.
"""

import ssl
import sys
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from core.errors import ConfigurationError
from core.settings.outside.certificates import (
    CERTIFICATE_KEYS,
    Certificates,
    default_context,
    read_certificates,
)
from core.settings.outside.no_proxy import NoProxy, is_loopback, plain_host
from core.settings.outside.proxy import Proxy, UnusableProxyError, parse_proxy, shown_form
from core.settings.sources import ENVIRONMENT

SYSTEM = "the system's proxy settings"

Found = tuple[str, str, Any]  # name, source, value
Find = Callable[[tuple[str, ...]], Found | None]


@dataclass(frozen=True)
class Network:
    """How each URL is reached. Without anything configured: directly."""

    proxies: Mapping[str, Proxy | ConfigurationError] = field(default_factory=dict)  # by scheme
    no_proxy: NoProxy = field(default_factory=NoProxy)
    certificates: Certificates | ConfigurationError | None = None
    bypasses: Callable[[str], bool] | None = None  # the system's own exceptions
    _problems: dict[str, ConfigurationError | None] = field(
        default_factory=dict, repr=False, compare=False
    )

    @property
    def problems(self) -> tuple[ConfigurationError, ...]:
        """Return what cannot be used, each once."""
        proxies = () if self.no_proxy.has_all else tuple(self.proxies.values())
        found = [
            one for one in (*proxies, self.certificates) if isinstance(one, ConfigurationError)
        ]
        return tuple(dict.fromkeys(found))

    def way_to(self, scheme: str, host: str) -> Proxy | ConfigurationError | None:
        """Return the proxy to use, None for none, or what stands in the way."""
        proxy = self._proxy_to(scheme, host)
        if isinstance(proxy, ConfigurationError):
            return proxy
        is_encrypted = scheme == "https" or (proxy is not None and proxy.scheme == "https")
        if is_encrypted and isinstance(self.certificates, ConfigurationError):
            return self.certificates
        return proxy

    def problem_of(self, url: str) -> ConfigurationError | None:
        """Return what stands in the way to `url`, one of the settings: asked for each question."""
        if url not in self._problems:
            parts = urlsplit(url)
            way = self.way_to(parts.scheme, parts.hostname or "")
            self._problems[url] = way if isinstance(way, ConfigurationError) else None
        return self._problems[url]

    def without_proxies(self) -> "Network":
        """Return the same certificates, and no proxy for anyone."""
        return Network(certificates=self.certificates)

    def ssl_context(self) -> ssl.SSLContext:
        """Return a context with the configured certificates, else with the default ones."""
        if not isinstance(self.certificates, Certificates):
            return default_context()
        return self.certificates.context()

    def _proxy_to(self, scheme: str, host: str) -> Proxy | ConfigurationError | None:
        proxy = self.proxies.get(scheme)
        host = plain_host(host)
        if proxy is None or is_loopback(host) or self.no_proxy.matches(host):
            return None
        return None if self.bypasses is not None and self.bypasses(host) else proxy


def read_network(find: Find, *, system: Callable[[], Mapping[str, str]] | None = None) -> Network:
    """Read the variables; where no proxy is among them, ask the system (Windows, macOS)."""
    found = {scheme: _find_proxy(find, scheme) for scheme in ("https", "http")}
    asks_system = not any(found.values()) and (system or sys.platform in ("win32", "darwin"))
    if asks_system:
        told = (system or getproxies)()
        found = {
            scheme: (f"{scheme}_proxy", SYSTEM, value)
            for scheme in ("https", "http")
            if (value := told.get(scheme) or told.get("all") or told.get("socks"))
        }
    proxies: dict[str, Proxy | ConfigurationError] = {}
    read: dict[str, Proxy | ConfigurationError] = {}
    for scheme, one in found.items():
        if one is not None:  # two variables with one value are one problem
            proxies[scheme] = read.setdefault(str(one[2]), _proxy(*one))
    no_proxy = find(("no_proxy", "NO_PROXY"))
    return Network(
        proxies=proxies,
        no_proxy=NoProxy(_as_text(no_proxy[2]) if no_proxy else ""),
        certificates=read_certificates(find(CERTIFICATE_KEYS[:1]) or find(CERTIFICATE_KEYS[1:])),
        bypasses=_system_bypasses if asks_system else None,
    )


def environment_network(environment: Mapping[str, str]) -> Network:
    """Read the variables of an environment alone."""

    def find(names: tuple[str, ...]) -> Found | None:
        for name in names:
            if environment.get(name, "").strip():
                return name, ENVIRONMENT, environment[name]
        return None

    return read_network(find)


def spell_out_socks(environment: MutableMapping[str, str]) -> None:
    """Write socks:// as socks5://, which is the same, for libraries that fail on the former.

    Those that sign people in build clients of their own.
    """
    for name in (f"{front}_proxy" for front in ("http", "https", "all")):
        for variable in (name, name.upper()):
            front, separator, rest = environment.get(variable, "").partition("://")
            if separator and front.strip().lower() == "socks":
                environment[variable] = f"socks5://{rest}"


def _find_proxy(find: Find, scheme: str) -> Found | None:
    own = find((f"{scheme}_proxy", f"{scheme.upper()}_PROXY"))
    return own or find(("all_proxy", "ALL_PROXY"))


def _proxy(key: str, source: str, value: Any) -> Proxy | ConfigurationError:
    try:
        return parse_proxy(key, str(value))
    except UnusableProxyError:
        form = shown_form(str(value))
        return ConfigurationError(key, source, "error.configuration_proxy", facts={"value": form})


def _as_text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _system_bypasses(host: str) -> bool:
    return bool(proxy_bypass(host))
