"""Schema validation and the place where schemas lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from certex_bridge.kernel.errors import ConfigurationError
from certex_bridge.platform import resources
from certex_bridge.platform.resources import contract_path, resource_path, schema_path
from certex_bridge.platform.xsd import DocumentInvalid, Validator, validator

CERTIFICATE = contract_path("examples", "certificates", "individual.xml").read_bytes()


def test_a_valid_document_passes_silently() -> None:
    validator("certificate", 1).validate(CERTIFICATE)
    assert validator("certificate", 1) is validator("certificate", 1)


def test_an_invalid_document_is_named_with_lines() -> None:
    with pytest.raises(DocumentInvalid) as caught:
        validator("certificate", 1).validate(CERTIFICATE.replace(b"<status>Valid<", b"<status>Fine<"))
    ((line, message), *_) = caught.value.errors
    assert line == 2
    assert "Fine" in message
    assert caught.value.code == "DOCUMENT_INVALID"


@pytest.mark.parametrize("document", [b"", b"<a", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', b"<a/>"])
def test_what_is_no_document_is_invalid(document: bytes) -> None:
    with pytest.raises(DocumentInvalid) as caught:
        validator("certificate", 1).validate(document)
    assert caught.value.errors


def test_no_entity_is_expanded_and_no_file_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("Valid")
    entity = f'<!DOCTYPE Certificate [<!ENTITY s SYSTEM "{secret.as_uri()}">]>'.encode()
    document = CERTIFICATE.replace(b"\n<Certificate", b"\n" + entity + b"<Certificate")
    with pytest.raises(DocumentInvalid):
        validator("certificate", 1).validate(document.replace(b"<status>Valid<", b"<status>&s;<"))


def test_only_the_first_errors_are_kept() -> None:
    line = b"<CertificateLine/>"
    document = b'<Certificate xmlns="urn:certex-bridge:certificate:1">' + line * 100 + b"</Certificate>"
    with pytest.raises(DocumentInvalid) as caught:
        validator("certificate", 1).validate(document)
    assert 1 <= len(caught.value.errors) <= 20


def test_a_missing_or_broken_schema_stops_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError):
        Validator("nothing", 1)
    with pytest.raises(ConfigurationError):
        schema_path("dtd", "certificate", 1)
    folder = tmp_path / "schemas" / "xsd" / "broken" / "1"
    folder.mkdir(parents=True)
    (folder / "broken.xsd").write_text("<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'><bad/></xs:schema>")
    monkeypatch.setattr(resources, "_ROOTS", (tmp_path,))
    with pytest.raises(ConfigurationError):
        Validator("broken", 1)


def test_the_packaged_copy_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = tmp_path / "data", tmp_path / "repository"
    for root in (first, second):
        (root / "contracts").mkdir(parents=True)
    (second / "contracts" / "only").write_text("x")
    monkeypatch.setattr(resources, "_ROOTS", (first, second))
    assert resource_path("contracts") == first / "contracts"
    assert contract_path("only") == second / "contracts" / "only"
