"""From settings to the ledger's decisions."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from certex_bridge.customs.licence_documents import StatusEffect
from certex_bridge.customs.options import DecodeOptions
from certex_bridge.ledger.domain.policy import FigureSource, Policy, SettleGroup
from certex_bridge.ledger.domain.reasons import Rule
from certex_bridge.licensing.decode import LicensingOptions
from certex_bridge.licensing.domain.certificate_types import CertificateTypes
from certex_bridge.platform.settings import Settings
from certex_bridge.singlewindow.rules.profiles import certificate_types


def types_of(settings: Settings) -> CertificateTypes:
    """The certificate types that are live.

    Raises:
        ConfigurationError: a setting names what no profile has, or a profile cannot be read.
    """
    return certificate_types(settings.certificate_types, settings.further_document_codes)


def policy_of(settings: Settings) -> Policy:
    """The ledger's decisions as the settings say."""
    return Policy(
        types=types_of(settings),
        registration={issuer: frozenset(codes) for issuer, codes in settings.registration_required.items()},
        settle_group=SettleGroup(settings.settle_group),
        enforced=frozenset(Rule(name) for name in settings.enforce_mismatches),
        ladder=tuple(FigureSource(name) for name in settings.declared_figure_ladder),
        unit_aliases=settings.unit_aliases,
        further_codes=frozenset(code for codes in settings.legacy_document_codes.values() for code in codes),
        calendar_zone=ZoneInfo(settings.calendar_zone),
        calendar_zones={country: ZoneInfo(name) for country, name in settings.calendar_zones.items()},
    )


def decode_options_of(settings: Settings) -> DecodeOptions:
    """How declarations are read, as the settings say."""
    return DecodeOptions(
        types=types_of(settings),
        zones={country: ZoneInfo(name) for country, name in settings.calendar_zones.items()},
        default_zone=ZoneInfo(settings.calendar_zone),
        legacy_codes=settings.legacy_document_codes,
        document_statuses={
            country: {status: StatusEffect(effect) for status, effect in statuses.items()}
            for country, statuses in settings.document_statuses.items()
        },
        zero_quantity_countries=settings.zero_quantity_countries,
    )


def licensing_options_of(settings: Settings) -> LicensingOptions:
    """How licence events are read, as the settings say."""
    return LicensingOptions(
        document_bytes_max=settings.licence_document_bytes_max,
        legacy_codes=settings.legacy_document_codes,
        types=types_of(settings),
        certificate_bytes_max=settings.kafka_message_bytes_max,
    )
