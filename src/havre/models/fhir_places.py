"""Where a FHIR resource keeps what a flat table of it has: one table for each kind of resource.

What no column names stays at the holder: names, addresses, phone numbers, narratives,
notes, identifiers, extensions. Where R4 and R5 keep a thing in different places, both
are looked at, the first that is there counts.

Source: HL7 FHIR R4 (4.0.1) and R5 (5.0.0), the pages of the six resources.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Take(StrEnum):
    """What of a place becomes a cell.

    TEXT: the value as it is written. DAY: the day of a date or a moment; of one that has a
    month or a year alone, none. ID: what a reference ends with, or the resource's own.
    CODINGS: a list of system and code, as JSON.
    """

    TEXT = "text"
    DAY = "day"
    ID = "id"
    CODINGS = "codings"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a cell comes from.

    paths: from the resource's root, with `.` and `[0]`; the first that is there counts.
    kind: of a reference, the only kind of resource it may point to; empty for any.
    """

    paths: tuple[str, ...]
    take: Take = Take.TEXT
    kind: str = ""


@dataclass(frozen=True, slots=True)
class ResourceTable:
    """One kind of resource, and the place of every column of its table."""

    resource: str
    columns: Mapping[str, Place]


def _text(*paths: str) -> Place:
    return Place(paths)


def _day(*paths: str) -> Place:
    return Place(paths, Take.DAY)


def _to(kind: str, *paths: str) -> Place:
    return Place(tuple(f"{path}.reference" for path in paths), Take.ID, kind)


def _coded(prefix: str, *concepts: str) -> dict[str, Place]:
    """Place the three columns of a coded thing: its first coding, and all of them."""
    return {
        f"{prefix}code_system": _text(*(f"{each}.coding[0].system" for each in concepts)),
        f"{prefix}code": _text(*(f"{each}.coding[0].code" for each in concepts)),
        f"{prefix}codings": Place(tuple(f"{each}.coding" for each in concepts), Take.CODINGS),
    }


def _first_code(*concepts: str) -> Place:
    return _text(*(f"{each}.coding[0].code" for each in concepts))


_OWN = Place(("id",), Take.ID)
_SUBJECT = _to("Patient", "subject")
_ENCOUNTER = _to("Encounter", "encounter")

RESOURCES: Mapping[str, ResourceTable] = MappingProxyType(
    {
        "FHIR_PATIENT": ResourceTable(
            "Patient",
            {
                "patient_id": _OWN,
                "active": _text("active"),
                "gender": _text("gender"),
                "birth_date": _text("birthDate"),
                "deceased": _text("deceasedBoolean"),
                "death_date": _day("deceasedDateTime"),
                "deceased_at": _text("deceasedDateTime"),
                "marital_status_code": _first_code("maritalStatus"),
                "postal_code": _text("address[0].postalCode"),
                "country": _text("address[0].country"),
                "organization_id": _to("Organization", "managingOrganization"),
            },
        ),
        "FHIR_ENCOUNTER": ResourceTable(
            "Encounter",
            {
                "encounter_id": _OWN,
                "patient_id": _SUBJECT,
                "status": _text("status"),
                "class_system": _text("class.system", "class[0].coding[0].system"),
                "class_code": _text("class.code", "class[0].coding[0].code"),
                **_coded("type_", "type[0]"),
                "event_date": _day("period.start", "actualPeriod.start"),
                "start_at": _text("period.start", "actualPeriod.start"),
                "end_date": _day("period.end", "actualPeriod.end"),
                "end_at": _text("period.end", "actualPeriod.end"),
                "organization_id": _to("Organization", "serviceProvider"),
                "part_of_id": _to("Encounter", "partOf"),
                "admit_source_code": _first_code(
                    "hospitalization.admitSource", "admission.admitSource"
                ),
                "discharge_disposition_code": _first_code(
                    "hospitalization.dischargeDisposition", "admission.dischargeDisposition"
                ),
            },
        ),
        "FHIR_CONDITION": ResourceTable(
            "Condition",
            {
                "condition_id": _OWN,
                "patient_id": _SUBJECT,
                "encounter_id": _ENCOUNTER,
                "clinical_status": _first_code("clinicalStatus"),
                "verification_status": _first_code("verificationStatus"),
                "category_code": _first_code("category[0]"),
                "severity_code": _first_code("severity"),
                **_coded("", "code"),
                "event_date": _day("onsetDateTime", "onsetPeriod.start", "recordedDate"),
                "onset_at": _text("onsetDateTime", "onsetPeriod.start"),
                "abatement_at": _text("abatementDateTime", "abatementPeriod.end"),
                "recorded_at": _text("recordedDate"),
            },
        ),
        "FHIR_MEDICATION_REQUEST": ResourceTable(
            "MedicationRequest",
            {
                "medication_request_id": _OWN,
                "patient_id": _SUBJECT,
                "encounter_id": _ENCOUNTER,
                "status": _text("status"),
                "intent": _text("intent"),
                "category_code": _first_code("category[0]"),
                **_coded("medication_", "medicationCodeableConcept", "medication.concept"),
                "medication_id": _to("", "medicationReference", "medication.reference"),
                "event_date": _day("authoredOn"),
                "authored_at": _text("authoredOn"),
                "dose_value": _text("dosageInstruction[0].doseAndRate[0].doseQuantity.value"),
                "dose_unit": _text("dosageInstruction[0].doseAndRate[0].doseQuantity.unit"),
                "dispense_quantity": _text("dispenseRequest.quantity.value"),
                "dispense_unit": _text("dispenseRequest.quantity.unit"),
                "repeats_allowed": _text("dispenseRequest.numberOfRepeatsAllowed"),
                "requester_id": _to("", "requester"),
            },
        ),
        "FHIR_OBSERVATION": ResourceTable(
            "Observation",
            {
                "observation_id": _OWN,
                "patient_id": _SUBJECT,
                "encounter_id": _ENCOUNTER,
                "status": _text("status"),
                "category_code": _first_code("category[0]"),
                **_coded("", "code"),
                "event_date": _day(
                    "effectiveDateTime", "effectivePeriod.start", "effectiveInstant", "issued"
                ),
                "effective_at": _text(
                    "effectiveDateTime", "effectivePeriod.start", "effectiveInstant"
                ),
                "issued_at": _text("issued"),
                "value_number": _text("valueQuantity.value"),
                "value_unit": _text("valueQuantity.unit"),
                "value_unit_code": _text("valueQuantity.code"),
                "value_comparator": _text("valueQuantity.comparator"),
                **_coded("value_", "valueCodeableConcept"),
                "value_text": _text("valueString"),
                "value_boolean": _text("valueBoolean"),
                "value_integer": _text("valueInteger"),
                "absent_reason_code": _first_code("dataAbsentReason"),
                "interpretation_code": _first_code("interpretation[0]"),
                "body_site_code": _first_code("bodySite"),
            },
        ),
        "FHIR_PROCEDURE": ResourceTable(
            "Procedure",
            {
                "procedure_id": _OWN,
                "patient_id": _SUBJECT,
                "encounter_id": _ENCOUNTER,
                "status": _text("status"),
                "category_code": _first_code("category", "category[0]"),
                **_coded("", "code"),
                "event_date": _day(
                    "performedDateTime",
                    "performedPeriod.start",
                    "occurrenceDateTime",
                    "occurrencePeriod.start",
                ),
                "performed_at": _text(
                    "performedDateTime",
                    "performedPeriod.start",
                    "occurrenceDateTime",
                    "occurrencePeriod.start",
                ),
                "performed_until": _text("performedPeriod.end", "occurrencePeriod.end"),
                "body_site_code": _first_code("bodySite[0]"),
                "outcome_code": _first_code("outcome"),
            },
        ),
    }
)
