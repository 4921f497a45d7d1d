"""What authorities issued is kept on every store, and each version has the content and the document that count for it."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from certex_bridge.kernel.canonical import sha256_hex
from certex_bridge.ledger.adapters.memory import InMemoryStore
from certex_bridge.ledger.adapters.memory_reader import InMemoryReader
from certex_bridge.ledger.adapters.postgres import PostgresStore
from certex_bridge.ledger.adapters.reader import PostgresReader, ReadLimits
from certex_bridge.ledger.answers import Answer
from certex_bridge.ledger.reading import Original
from certex_bridge.licensing.decode import decode_licence_event
from certex_bridge.licensing.domain.commands import LicenceEventKind
from certex_bridge.licensing.domain.licence import AuthorityStatus
from certex_bridge.licensing.domain.originals import AttachedDocument
from tests.support.gateway_world import licence as wire_licence
from tests.support.ledger_contents import contents_of
from tests.support.scenario import Scenario
from tests.unit.licensing.samples import structured

A = "BE/A"
PDF, OTHER = b"%PDF-1.7 first", b"%PDF-1.7 second"
PATIENT = ReadLimits(check=20, shown=20, connection=20)


class Issuing:
    """An authority that tells events as bytes, and a reader of what became of them."""

    def __init__(self, store: InMemoryStore | PostgresStore) -> None:
        self.story = Scenario(store)
        self.sent: dict[int, bytes] = {}
        memory = isinstance(store, InMemoryStore)
        self._reader = InMemoryReader(store) if memory else PostgresReader(store._pool, PATIENT)

    async def tell(self, version: int, kind: str = "modified", status: str = "VALID", **more: Any) -> Answer:
        """One version of licence A."""
        data = wire_licence("A", quantity="100") | {"version": version, "status": status} | more
        event = {
            "specversion": "1.0", "id": f"v{version}", "type": f"licensing.licence.{kind}.v1", "source": "urn:test",
            "time": f"2026-02-0{version}T10:00:00Z", "data": data,
        }  # fmt: skip
        envelope = structured(event)
        command = decode_licence_event(envelope)
        (answer,) = await self.story.tell(command)
        self.sent[version] = json.dumps(data, separators=(",", ":")).encode()
        return answer

    async def original(self, version: int) -> Original:
        """What was issued with a version."""
        found = await self._reader.original(A, version)
        assert found is not None
        return found


@pytest.fixture
def issuing(store: InMemoryStore | PostgresStore) -> Issuing:
    return Issuing(store)


def document(body: bytes) -> dict[str, str]:
    return {"mediaType": "application/pdf", "content": base64.b64encode(body).decode()}


async def test_each_version_has_its_own_bytes_and_the_document_that_counts(issuing: Issuing) -> None:
    await issuing.tell(1, "issued", originalDocument=document(PDF))
    await issuing.tell(2)
    await issuing.tell(3, originalDocument=document(OTHER))
    await issuing.tell(4, originalDocument={"mediaType": "application/pdf", "sha256": sha256_hex(OTHER)})
    await issuing.tell(5, originalDocument=document(PDF))
    for version, body in enumerate((PDF, PDF, OTHER, OTHER, PDF), 1):
        found = await issuing.original(version)
        assert found.issued is not None
        assert found.attached is not None
        assert found.issued == (version, found.at, f"v{version}", "application/json", issuing.sent[version])
        assert found.attached == ("application/pdf", sha256_hex(body), body)
        assert found.certificate
    await issuing.story.finish()


async def test_a_version_without_content_of_its_own_has_that_of_the_one_before(issuing: Issuing) -> None:
    await issuing.tell(1, "issued", originalDocument=document(PDF))
    snapshot = (await issuing.story.state("A")).licence
    assert snapshot is not None
    issuing.story.licence_event(snapshot, LicenceEventKind.ISSUED)
    await issuing.story.suspend("A")
    found = await issuing.original(2)
    assert found.version == 2
    assert found.issued is not None
    assert (found.issued.version, found.issued.event_id, found.issued.content) == (1, "v1", issuing.sent[1])
    assert found.attached == ("application/pdf", sha256_hex(PDF), PDF)
    before = await issuing.original(1)
    assert (before.issued, before.attached) == (found.issued, found.attached)


async def test_the_journal_has_the_hashes_of_what_is_kept(issuing: Issuing) -> None:
    await issuing.tell(1, "issued", originalDocument=document(PDF))
    await issuing.tell(2)
    details = [m.detail for m in (await contents_of(issuing.story.store)).movements if m.kind == "VERSION"]
    for version, detail in enumerate(details, 1):
        assert detail.startswith(f"version={version} sha256=")
        assert detail.endswith(f" original={sha256_hex(issuing.sent[version])} document={sha256_hex(PDF)}")
    assert len(details) == 2


async def test_a_hash_nobody_attached_is_refused_and_named(issuing: Issuing) -> None:
    await issuing.tell(1, "issued", originalDocument=document(PDF))
    answer = await issuing.tell(2, originalDocument={"mediaType": "application/pdf", "sha256": "0" * 64})
    told = json.loads(answer.body)
    (finding,) = told["findings"]
    assert (answer.result, finding["code"], finding["severity"]) == ("REFUSED", "DOCUMENT_UNKNOWN", "ERROR")
    assert (finding["field"], finding["value"]) == ("originalDocument.sha256", "0" * 64)
    other_type = await issuing.tell(3, originalDocument={"mediaType": "application/xml", "sha256": sha256_hex(PDF)})
    assert other_type.result == "REFUSED"
    assert (await issuing.story.state("A")).version == 1


async def test_an_act_on_the_status_is_not_held_up_by_a_document(issuing: Issuing) -> None:
    await issuing.tell(1, "issued", originalDocument=document(PDF))
    unknown = {"mediaType": "application/pdf", "sha256": "0" * 64}
    answer = await issuing.tell(2, "revoked", "REVOKED", originalDocument=unknown)
    assert answer.result == "ACCEPTED"
    state = await issuing.story.state("A")
    assert state.licence is not None
    assert state.licence.status is AuthorityStatus.REVOKED
    assert state.licence.document == AttachedDocument("application/pdf", sha256_hex(PDF))
    found = await issuing.original(2)
    assert found.attached is not None
    assert found.attached.content == PDF


async def test_nothing_is_told_of_a_version_that_never_was(issuing: Issuing) -> None:
    await issuing.tell(1, "issued")
    assert (await issuing.original(1)).attached is None
    with pytest.raises(AssertionError):
        await issuing.original(2)
