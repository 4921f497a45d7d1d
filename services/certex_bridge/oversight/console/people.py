"""Who uses the console, and what each role may see and do there.

Roles follow the staff categories of Implementing Regulation (EU) 2024/2145 Art. 16: those who issue, those who clear,
those who run the system, those who look over all of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from certex_bridge.singlewindow.rights import Sight


class Role(StrEnum):
    """What a person is to the console."""

    AUDITOR = "auditor"
    OPERATOR = "operator"
    LICENSING_OFFICER = "licensing_officer"
    CUSTOMS_OFFICER = "customs_officer"


class Right(StrEnum):
    """What can be seen or done."""

    SEARCH = "search"
    LICENCES = "licences"
    DECLARATIONS = "declarations"
    FLOW = "flow"
    QUARANTINE = "quarantine"
    REPAIR = "repair"
    PUSHES = "pushes"
    STEER = "steer"
    """Pause, resume and retry pushes."""
    NOTICES = "notices"
    AUDIT = "audit"


_OFFICER = frozenset({Right.SEARCH, Right.LICENCES, Right.DECLARATIONS, Right.NOTICES})
_WATCHING = _OFFICER | {Right.FLOW, Right.QUARANTINE, Right.PUSHES}
RIGHTS: dict[Role, frozenset[Right]] = {
    Role.AUDITOR: _WATCHING | {Right.AUDIT},
    Role.OPERATOR: _WATCHING | {Right.REPAIR, Right.STEER},
    Role.LICENSING_OFFICER: _OFFICER,
    Role.CUSTOMS_OFFICER: _OFFICER,
}
"""Who looks over the work does none of it: the auditor may change nothing."""

_EVERYWHERE = frozenset({Role.AUDITOR, Role.OPERATOR})


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who logged in."""

    name: str
    roles: frozenset[Role]
    member_state: str = ""
    """Whose data an officer sees; empty: of all."""
    subject: str = ""
    """Under which the issuer of identities knows the person for ever, whatever the name."""

    @property
    def identity(self) -> str:
        """What tells two persons apart."""
        return self.subject or self.name

    def may(self, right: Right) -> bool:
        """Whether one of the roles has the right."""
        return any(right in RIGHTS[role] for role in self.roles)

    @property
    def sight(self) -> Sight:
        """What the person sees of licences and declarations: the same rules as for the callers of the gateway."""
        roles = self.roles
        everything = not roles.isdisjoint(_EVERYWHERE)
        return Sight(self.member_state, Role.CUSTOMS_OFFICER in roles, Role.LICENSING_OFFICER in roles, everything)


DEMO_PERSONS: dict[str, Person] = {
    person.name: person
    for person in (
        Person("Ada Operator", frozenset({Role.OPERATOR})),
        Person("Grace Operator", frozenset({Role.OPERATOR})),
        Person("Lise Licensing", frozenset({Role.LICENSING_OFFICER})),
        Person("Niels Customs", frozenset({Role.CUSTOMS_OFFICER})),
        Person("Emmy Auditor", frozenset({Role.AUDITOR})),
    )
}
"""Whom a demo on loopback lets in by name: two operators, since a repair needs two."""
