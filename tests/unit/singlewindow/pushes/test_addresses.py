"""Where pushes may go."""

from __future__ import annotations

import pytest

from certex_bridge.kernel.errors import InputError
from certex_bridge.singlewindow.pushes.addresses import check_url, may_connect

PUBLIC = (
    "https://nsw.example/pushes?of=1",
    "https://nsw.example:8443/",
    "https://93.184.215.14/",
    "https://[2600::1]/",
    "https://192.0.0.9/",
    "https://[2001:4:112::1]/",
    "https://[64:ff9b::5db8:d70e]/",
    "https://1.nsw.example/",
)
PRIVATE = (
    "https://10.0.0.5/", "https://192.168.1.1/", "https://[fd12::1]/", "https://127.0.0.1/", "https://localhost/", "https://a.localhost./",
    "http://127.0.0.1:8080/", "http://localhost/", "http://[::1]:8080/", "https://[::ffff:10.0.0.1]/",
)  # fmt: skip
NEVER = (
    "https://169.254.169.254/latest/", "https://[fe80::1]/", "https://[fd00:ec2::254]/", "https://0.0.0.0/",
    "https://224.0.0.1/", "https://[::ffff:169.254.169.254]/", "https://[64:ff9b::a9fe:a9fe]/", "https://[2002:a9fe:a9fe::]/",
    "http://nsw.example/", "http://10.0.0.5/", "ftp://nsw.example/", "nsw.example", "https:///x", "https://nsw.example:0/",
    "https://user@nsw.example/", "https://nsw.example/#part", "https://nsw.example:99999/", "https://nsw.example/a b",
    "https://[fec0::1]/", "https://[64:ff9b:1::7f00:1]/", "https://[::127.0.0.1]/", "https://[::ffff:0:127.0.0.1]/",
    "https://[::]/", "https://[100::1]/", "https://[2001::1]/", "https://[2001:db8::1]/", "https://[3fff::1]/",
    "https://[5f00::1]/", "https://[ff02::1]/", "https://100.64.0.1/", "https://192.0.0.1/", "https://192.0.2.1/",
    "https://192.88.99.1/", "https://198.18.0.1/", "https://198.51.100.1/", "https://203.0.113.1/", "https://240.0.0.1/",
    "https://255.255.255.255/", "https://127.1/", "https://2130706433/", "https://0/", "https://0x7f.1/", "https://0177.0.0.1/",
    "https://127.0.0.1./", "https://nsw.example.1/", "https://0x7F000001/",
    "https://n\u00e9w.example/", "https://nsw.example/" + "x" * 600, "https://[::1", "",
)  # fmt: skip


@pytest.mark.parametrize("url", PUBLIC)
def test_public_addresses_are_fine(url: str) -> None:
    check_url(url, private=False)
    check_url(url, private=True)


@pytest.mark.parametrize("url", PRIVATE)
def test_private_ones_need_the_setting(url: str) -> None:
    check_url(url, private=True)
    with pytest.raises(InputError) as refused:
        check_url(url, private=False, field="url")
    assert (refused.value.code, refused.value.field, refused.value.value) == ("CALLBACK_URL", "url", url)


@pytest.mark.parametrize("url", NEVER)
def test_others_are_never_fine(url: str) -> None:
    with pytest.raises(InputError, match="no address for pushes"):
        check_url(url, private=True)


def test_numbers_that_names_lead_to_are_judged_too() -> None:
    assert may_connect("nsw.example", private=False)
    assert may_connect("93.184.215.14", private=False)
    assert not may_connect("169.254.169.254", private=True)
    assert not may_connect("fe80::1%eth0", private=True)
    assert not may_connect("10.0.0.1", private=False)
    assert may_connect("10.0.0.1", private=True)
