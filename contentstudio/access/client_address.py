"""The address a request or a socket comes from, for limits and for the log."""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network, ip_address

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The client's address; empty if it is unknown, as on a Unix socket."""
    return choose_address(request.headers.get("X-Forwarded-For", ""), request.META.get("REMOTE_ADDR") or "")


def choose_address(forwarded: str, peer: str) -> str:
    """``peer``, or with BEHIND_PROXY the address that the outermost of TRUSTED_PROXIES saw.

    Each proxy appends the address it was called from, so only the last entries of X-Forwarded-For can be trusted: whatever is
    left of them was sent by the client.
    """
    if settings.BEHIND_PROXY:
        entries = [entry.strip() for entry in forwarded.split(",") if entry.strip()]
        if len(entries) >= settings.TRUSTED_PROXIES:
            return normal_address(entries[-settings.TRUSTED_PROXIES]) or normal_address(peer)
    return normal_address(peer)


def normal_address(text: str) -> str:
    """The address without port and zone, in its shortest form; empty if it is none."""
    bare = text.strip().removeprefix("[").partition("]")[0]
    if bare.count(":") == 1:
        bare = bare.partition(":")[0]  # 192.0.2.1:4711
    try:
        found = ip_address(bare.partition("%")[0])
    except ValueError:
        return ""
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return str(mapped or found)


def network_of(address: str) -> str:
    """What limits count: an IPv6 client has a whole /64 network of addresses."""
    if ":" not in address:
        return address
    return str(IPv6Network((address, 64), strict=False))
