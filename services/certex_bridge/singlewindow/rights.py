"""Who may see and act on what: licences, balances, declarations. The only place that decides it.

Every function of the gateway and every page of the console asks here. Customs see all licences, since an authorisation
is valid in the whole customs territory (Regulation (EU) 2021/821 Art. 12(1)), and the declarations of their own state.
The licensing side sees the licences of its own authority with their balances, and of a declaration the claims on them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from certex_bridge.kernel.countries import issuing_state
from certex_bridge.kernel.identifiers import mrn_member_state
from certex_bridge.singlewindow.callers import Caller, CallerRole
from certex_bridge.singlewindow.refusals import Refusal

LICENSING_SIDE = frozenset({CallerRole.LICENSING_OFFICER, CallerRole.AUDITOR})
CUSTOMS_SIDE = frozenset({CallerRole.CLEARANCE, CallerRole.CUSTOMS_OFFICER})


def issuer_in(licence_id: str) -> str:
    """The issuer in the identity of a licence."""
    return licence_id.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Sight:
    """What a caller or a person may see."""

    state: str
    """Member State; empty: of none, so nothing is foreign."""
    customs: bool
    licensing: bool
    everything: bool = False
    """Runs the bridge or looks over all of it."""

    @classmethod
    def of(cls, caller: Caller) -> Self:
        """That of a caller."""
        customs, licensing = not caller.roles.isdisjoint(CUSTOMS_SIDE), not caller.roles.isdisjoint(LICENSING_SIDE)
        return cls(caller.member_state, customs, licensing)

    def is_home(self, issuer: str) -> bool:
        """Whether licences of this issuer are those of the own state."""
        return not self.state or issuing_state(issuer) == issuing_state(self.state)

    def owns(self, issuer: str) -> bool:
        """Whether this is the licensing side of the authority that issued the licence."""
        return self.licensing and self.is_home(issuer)

    def licence(self, issuer: str) -> bool:
        """Whether licences of this issuer may be seen."""
        return self.everything or self.customs or self.owns(issuer)

    def figures(self, issuer: str, *, shown: bool) -> bool:
        """Whether their balances may be seen; `shown` is what is settled for customs."""
        return self.everything or self.owns(issuer) or (self.customs and shown)

    def declaration(self, state: str) -> bool:
        """Whether declarations made in this state may be seen whole; else only the claims on owned licences."""
        return self.everything or not self.state or (self.customs and state == self.state)

    def claim(self, licence_id: str, declared_in: str) -> bool:
        """Whether a claim on a licence, made in a declaration of this state, may be seen."""
        return self.declaration(declared_in) or self.owns(issuer_in(licence_id))


def owns_licences(caller: Caller, issuer: str) -> bool:
    """Whether the caller is the licensing side of the authority that issued the licence."""
    return Sight.of(caller).owns(issuer)


def sees_figures(caller: Caller, issuer: str, *, shown: bool) -> bool:
    """Whether the caller may see balances; `shown` is the installation's word on customs."""
    return Sight.of(caller).figures(issuer, shown=shown and caller.policies.figures_shown)


def require_licence(caller: Caller, issuer: str, field: str) -> None:
    """Check that the caller may see the licences of this issuer.

    Raises:
        Refusal: FOREIGN_MEMBER_STATE.
    """
    if not Sight.of(caller).licence(issuer):
        message = f"{caller.name} reads licences of {caller.member_state} only"
        raise Refusal("FOREIGN_MEMBER_STATE", message, field=field, value=issuer)


def require_own_licence(caller: Caller, issuer: str, field: str) -> None:
    """Check that the licences of this issuer are the caller's to act on.

    Raises:
        Refusal: ROLE_MISSING, FOREIGN_MEMBER_STATE.
    """
    caller.require(CallerRole.LICENSING_OFFICER)
    if not owns_licences(caller, issuer):
        message = f"{caller.name} answers for licences of {caller.member_state} only"
        raise Refusal("FOREIGN_MEMBER_STATE", message, field=field, value=issuer)


def require_own_declaration(caller: Caller, mrn: str | None, field: str) -> None:
    """Check that a declaration is the caller's to act on: positions 3-4 of its MRN name the member state.

    Before there is an MRN the caller's own state stands. `field` is where the message has the MRN.

    Raises:
        Refusal: FOREIGN_MEMBER_STATE.
    """
    if mrn is not None and mrn_member_state(mrn) != caller.member_state:
        message = f"{caller.name} writes for declarations of {caller.member_state} only"
        raise Refusal("FOREIGN_MEMBER_STATE", message, field=field, value=mrn)
