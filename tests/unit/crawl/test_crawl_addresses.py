"""Which addresses are refused."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit_signals.crawl.addresses import REFUSED_V4, refusal


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.255.255.254", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1",
        "169.254.169.254", "100.64.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.8", "198.18.0.1", "224.0.0.1",
        "240.0.0.1", "255.255.255.255", "192.0.2.1", "192.88.99.1",
        "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "2001:db8::1",
        "::ffff:127.0.0.1", "::ffff:a9fe:a9fe", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1",
        "64:ff9b::169.254.169.254", "64:ff9b:1::1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2002:c0a8:101::1",
        "2001:0:4136:e378:8000:63bf:80ff:fffe", "fe80::5efe:c0a8:101", "2606:4700::5efe:7f00:1",
        "not an address", "",
    ],
)  # fmt: skip
def test_refused(address: str) -> None:
    """Private, loopback, link-local, metadata, multicast and reserved addresses, also inside IPv6, are refused."""
    assert refusal(address) is not None


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "1.1.1.1", "2606:4700:4700::1111", "64:ff9b::101:101", "::ffff:1.1.1.1"]
)
def test_public(address: str) -> None:
    """Public addresses pass, also by NAT64 or mapped."""
    assert refusal(address) is None


@given(st.sampled_from([block for block in REFUSED_V4 if block.num_addresses > 1]), st.integers(0, 2**32 - 1))
def test_no_form_of_a_refused_address_passes(block: ipaddress.IPv4Network, number: int) -> None:
    """An address of a refused block is refused in every IPv6 form that leads to it."""
    inner = block[number % block.num_addresses]
    low = int(inner)
    forms = [
        str(inner),
        f"::ffff:{inner}",
        str(ipaddress.IPv6Address((0x0064FF9B << 96) | low)),
        str(ipaddress.IPv6Address((0x2002 << 112) | (low << 80) | 1)),
    ]
    assert all(refusal(form) for form in forms)
