"""Which addresses may be called on an administrator's word (SSRF)."""

from __future__ import annotations

import pytest

from engine.errors import FieldsRefused
from engine.rules.targets import Allowed, choose, read_target

NOBODY = Allowed()
PRIVATE = (
    "127.0.0.1",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "198.18.0.1",
    "::1",
    "::",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::a00:1",
    "2002:7f00:1::",
    "192.0.0.1",
    "192.0.0.8",
    "192.88.99.1",
    "fec0::1",
    "100::1",
    "3fff::1",
    "5f00::1",
    "168.63.129.16",
    "::ffff:168.63.129.16",
)
PUBLIC = ("203.113.131.1", "8.8.8.8", "2001:4860:4860::8888", "64:ff9b::808:808")


@pytest.mark.parametrize("address", PRIVATE)
def test_a_name_that_leads_into_the_private_network_is_refused(address: str) -> None:
    target = read_target("https://esb.tinh.example/hook", NOBODY)
    assert choose(target, NOBODY, [address]) is None
    assert choose(target, NOBODY, ["203.113.131.1", address]) is None


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_may_be_called(address: str) -> None:
    assert str(choose(read_target("https://esb.tinh.example/hook", NOBODY), NOBODY, [address])) == address


@pytest.mark.parametrize("port", [22, 25])
def test_what_listens_for_no_webhook_is_not_called(port: int) -> None:
    with pytest.raises(FieldsRefused, match="Cổng"):
        read_target(f"https://esb.tinh.example:{port}/", Allowed.of("esb.tinh.example"))


def test_a_name_without_an_address_is_not_called() -> None:
    assert choose(read_target("https://esb.tinh.example/", NOBODY), NOBODY, []) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://10.1.2.3/x",
        "https://169.254.169.254/latest/meta-data",
        "https://localhost/x",
        "https://LOCALHOST./x",
        "http://esb.tinh.example/x",
        "ftp://esb.tinh.example/x",
        "file:///etc/passwd",
        "https://user:secret@esb.tinh.example/x",
        "https://esb.tinh.example/x#part",
        "https://",
        "https://esb.tinh.example:99999/",
        "https://esb.tinh.example/a b",
        "https://esb.tinh.example/\r\nhost: x",
        "không phải địa chỉ",
        "https://esb.tinh.example/" + "x" * 500,
    ],
)
def test_an_address_that_is_not_for_webhooks_is_refused_as_it_is_entered(url: str) -> None:
    with pytest.raises(FieldsRefused) as refused:
        read_target(url, NOBODY)
    assert set(refused.value.fields) == {"url"}


def test_what_the_office_names_may_be_private_and_without_tls() -> None:
    allowed = Allowed.of("esb.tinh.example, 10.20.0.0/16")
    target = read_target("http://esb.tinh.example:8080/hook?a=1", allowed)
    assert (target.authority, target.path) == ("esb.tinh.example:8080", "/hook?a=1")
    assert choose(target, allowed, ["192.168.7.7"]) is not None
    assert choose(read_target("https://10.20.1.1/", allowed), allowed, ["10.20.1.1"]) is not None
    assert choose(read_target("https://other.tinh.example/", allowed), allowed, ["10.21.0.1"]) is None


@pytest.mark.parametrize("address", ["169.254.169.254", "224.0.0.1", "0.0.0.0", "fe80::1"])
def test_some_addresses_are_refused_whatever_is_named(address: str) -> None:
    allowed = Allowed.of("esb.tinh.example,0.0.0.0/0,::/0")
    assert choose(read_target("https://esb.tinh.example/", allowed), allowed, [address]) is None


def test_the_host_header_names_the_port_only_where_it_is_unusual() -> None:
    assert read_target("https://esb.tinh.example:443/x", NOBODY).authority == "esb.tinh.example"
    assert read_target("https://esb.tinh.example:8443/x", NOBODY).authority == "esb.tinh.example:8443"
