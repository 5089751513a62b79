"""Decides which network addresses may be fetched when a user, a page or a search names them. Makes no connections.

Only publicly routed addresses are allowed. The machine itself, its network and its cloud's metadata service are refused,
also as IPv4 inside IPv6, NAT64 or 6to4.
"""

from __future__ import annotations

import re
import socket
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address
GLOBAL_UNICAST = IPv6Network("2000::/3")  # RFC 4291: nothing outside it is public today
# Global by the tables of older Python versions, but not public.
NEVER: tuple[Network, ...] = (
    IPv4Network("192.0.0.0/24"),  # RFC 6890: protocol assignments; a cloud's metadata service is among them
    IPv4Network("192.88.99.0/24"),  # RFC 7526: 6to4 relays
    IPv4Network("168.63.129.16/32"),  # Azure's host, seen from inside a virtual machine
    IPv6Network("2002::/16"),  # RFC 3056: 6to4, which carries any IPv4 address
    IPv6Network("3fff::/20"),  # RFC 9637: documentation
)

WEB_PORTS = (80, 443)

NUMBER = r"(?:0x[0-9a-f]*|[0-9]+)"
NUMERIC_HOST = re.compile(rf"{NUMBER}(?:\.{NUMBER}){{0,3}}", re.IGNORECASE)


def is_public(address: Address) -> bool:
    """Whether ``address`` is publicly routed unicast. An IPv4 address embedded in IPv6 is checked as IPv4."""
    if isinstance(address, IPv6Address):
        if (embedded := embedded_ipv4(address)) is not None:
            return is_public(embedded)
        if address not in GLOBAL_UNICAST:
            return False
    return address.is_global and not address.is_multicast and not any(address in network for network in NEVER)


def embedded_ipv4(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that is connected to if ``address`` is IPv4-mapped or NAT64."""
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped


def is_own(address: Address) -> bool:
    """Whether it is an address of this machine, which may be public. Only those can be listened on."""
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(address), 0))
    except OSError:
        return False
    return True


@dataclass(frozen=True)
class Allowed:
    """Hosts and networks that may be fetched although they are not public, such as an intranet's wiki."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def parse(cls, entries: Iterable[str]) -> Allowed:
        """Parses ``FETCH_ALLOW``: each entry is an address, a network (``10.1.2.0/24``) or a host name."""
        hosts, networks = set(), []
        for entry in filter(None, (entry.strip() for entry in entries)):
            try:
                networks.append(ip_network(entry, strict=False))
            except ValueError:
                hosts.add(entry.lower())
        return cls(frozenset(hosts), tuple(networks))

    def names(self, host: str, address: Address) -> bool:
        """Whether an operator has allowed the host or its address."""
        return host.lower() in self.hosts or any(address in network for network in self.networks)

    def permits(self, host: str, address: Address, port: int = 443) -> bool:
        """Others than operators allow have to be public, and asked at the usual ports: others may be services of any kind."""
        if self.names(host, address):
            return True
        return port in WEB_PORTS and is_public(address) and not is_own(address)


def names_private_host(url: str, allowed: Allowed) -> bool:
    """Whether ``url`` spells out a host that would be refused: ``localhost``, or a private address in any notation.

    Other names are not resolved here; whoever fetches the page does that.
    """
    with suppress(ValueError):
        host = urlsplit(url).hostname or ""
        local = host.rstrip(".").rpartition(".")[2] == "localhost"
        address = IPv4Address("127.0.0.1") if local else literal_address(host)
        return address is not None and not allowed.permits(host, address)
    return False


def literal_address(host: str) -> Address | None:
    """The address a host spells out, as resolvers read it: ``127.0.0.1``, ``::1``, ``127.1``, ``2130706433``, ``0x7f000001``."""
    plain = unicodedata.normalize("NFKC", host).replace("\u3002", ".").strip("[]").rstrip(".").partition("%")[0]
    with suppress(ValueError):
        return ip_address(plain)
    if NUMERIC_HOST.fullmatch(plain):
        with suppress(OSError):
            return IPv4Address(socket.inet_aton(plain))
    return None
