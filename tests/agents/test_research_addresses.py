from __future__ import annotations

from ipaddress import ip_address

import pytest

from agents.research.addresses import Allowed, is_public


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_it_knows_a_public_address(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.3.4",
        "192.168.1.1",
        "0.0.0.0",
        "169.254.169.254",
        "100.64.0.1",
        "100.100.100.200",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "198.18.0.1",
        "224.0.0.1",
        "233.252.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "168.63.129.16",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::808:808",
        "2002:7f00:1::",
        "2001::1",
        "2001:db8::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
        "3fff::1",
    ],
)
def test_it_knows_an_address_that_is_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


def test_an_operator_allows_hosts_addresses_and_networks() -> None:
    allowed = Allowed.parse(["10.1.2.0/24", " Wiki.Intranet ", "127.0.0.1", ""])

    assert allowed.permits("any", ip_address("10.1.2.9"))
    assert allowed.permits("wiki.intranet", ip_address("192.168.0.1"))
    assert allowed.permits("any", ip_address("127.0.0.1"))
    assert not allowed.permits("any", ip_address("10.1.3.9"))
    assert not allowed.permits("other.intranet", ip_address("192.168.0.1"))
