"""Facts of other models than the SNDS as data: tables of OMOP and of FHIR, and where FHIR keeps what they hold."""
