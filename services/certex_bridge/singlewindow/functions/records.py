"""F8: customs enter, amend and delete extra information to a licence (IR 2024/2145 Art. 9)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from certex_bridge.ledger.listing import IndexEntry, LicenceIndex
from certex_bridge.singlewindow.answering import instant_text, reply_header
from certex_bridge.singlewindow.answers import once
from certex_bridge.singlewindow.callers import CallerRole
from certex_bridge.singlewindow.messages.record import RecordAcknowledgement, RecordRequest
from certex_bridge.singlewindow.operation import Call, Operation, Reply
from certex_bridge.singlewindow.quotas import RECORDS_WITHIN, USUAL, Quotas, require_room
from certex_bridge.singlewindow.records import Records, RecordUnit, RecordVersion, next_state, record_message


class RecordKeeping:
    """The function's handler."""

    def __init__(
        self,
        records: Records,
        index: LicenceIndex,
        sender: str,
        clock: Callable[[], datetime] | None = None,
        quotas: Quotas = USUAL,
    ) -> None:
        self._records = records
        self._index = index
        self._sender = sender
        self._clock = clock or (lambda: datetime.now(UTC))
        self._quotas = quotas

    async def enter(self, call: Call, request: RecordRequest) -> Reply:
        """Store a version of the record and queue it for the licensing side, in one transaction.

        Raises:
            Refusal: NOT_FOUND, TYPE_MISMATCH, RECORD_UNKNOWN, RECORD_EXISTS, RECORD_DELETED, RECORD_MISMATCH,
                FOREIGN_MEMBER_STATE, QUOTA_EXCEEDED, DUPLICATE_ID, SCHEMA_INVALID.
        """
        licence_id = request.certificate_reference.licence_id
        licence = (await self._index.entries([licence_id])).get(licence_id)
        async with self._records.transaction() as unit:
            answer, repeated = await once(
                unit, call, request, RecordAcknowledgement, lambda: self._write(unit, call, request, licence)
            )
        return Reply(answer, repeated=repeated)

    async def _write(
        self, unit: RecordUnit, call: Call, request: RecordRequest, licence: IndexEntry | None
    ) -> RecordAcknowledgement:
        before = await unit.lock(call.caller.name, request.record_identification)
        state = next_state(request, call.caller, before, licence)
        assert licence is not None
        at = self._clock()
        held = await unit.written_by(call.caller.name, at - RECORDS_WITHIN)
        require_room(held, self._quotas.records, "versions of records in 24 hours")
        version = RecordVersion(
            state,
            request.action,
            request.reason or "",
            before.information if before else (),
            licence.version,
            at,
            call.call_id(request),
        )
        await unit.write(version, record_message(version, licence))
        reference = {"issuingCountry": licence.issuer, "referenceNumber": licence.number}
        if licence.document_code:
            reference["type"] = licence.document_code
        return RecordAcknowledgement.model_validate(
            {
                **reply_header(self._sender, call, request, RecordAcknowledgement, at),
                "action": request.action,
                "recordIdentification": request.record_identification,
                "recordVersion": state.version,
                "CertificateReference": reference,
                "licenceVersion": licence.version,
                "recordedDateAndTime": instant_text(at),
            }
        )


def operations(keeping: RecordKeeping) -> Sequence[Operation]:
    """F8 as an operation."""
    return (
        Operation(
            name="enterRecord",
            function="F8",
            law="9(1), 9(2)",
            path="/v1/records",
            request=RecordRequest,
            response=RecordAcknowledgement,
            roles=frozenset({CallerRole.CUSTOMS_OFFICER, CallerRole.CLEARANCE}),
            handler=keeping.enter,
            summary="Enters, amends or deletes extra information to a licence, for its authority.",
            statuses=(404, 409),
        ),
    )
