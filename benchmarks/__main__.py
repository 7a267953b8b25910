"""`make bench`: every ratio in one run. Read ratios, not seconds: the machine may be shared."""

from __future__ import annotations

from benchmarks import (
    exposure,
    ingest,
    opening,
    pseudonyms,
    resharing,
    scan,
    scrub,
    sealing,
    selective,
    sources,
    synthetic,
)

GOALS = {
    "both_to_plain": ("ingest, holder's part included, to DuckDB's plain CSV to Parquet", "≤ 1.5"),
    "both_to_plain_cpu": ("the same in processor time, for a machine that others use", "≤ 1.5"),
    "holder_peak_gib": ("what the holder's process held most, in GiB", "≤ 2.0"),
    "hub_peak_gib": ("what the hub's process held most, in GiB", "≤ 2.0"),
    "scan4": ("scan of four sealed columns to plain Parquet", "≤ 1.15"),
    "scan_all": ("scan of every sealed column to plain Parquet", "≤ 1.15"),
    "join": ("join over sealed Parquet to plain", "≤ 1.15"),
    "selective_to_plain": (
        "a month and a code of a lake with five files a month, to plain",
        "≤ 2.0",
    ),
    "selective_small_to_plain": ("the same with a file for three months", "≤ 2.0"),
    "selective_as_it_came": ("the same from files as they came, not put together", ""),
    "opened_compacted": ("share of its bytes that were opened", ""),
    "opened_small": ("the same with a file for three months", ""),
    "opened_as_it_came": ("the same from files as they came", ""),
    "exposure_analysis": ("exposure of a plausible deployment with 12 operators", "≤ 2 s"),
    "exposure_hard_analysis": ("exposure of a hard one with 12 operators", "≤ 2 s"),
    "exposure_check": ("its certificate checked by the program for strangers", ""),
    "scrub_to_sha256": ("scrub of a store to plain SHA-256 over the same files", "≥ 0.80"),
    "sealed_keys_s": ("file keys sealed a second and core", "≥ 8000"),
    "opening_own_s": ("a version of 1,000 files opened, seconds beside its custodians", "≤ 1.0"),
    "opening_custodians_s": ("its custodians' round trip, the log included, in seconds", ""),
    "reshared_objects_read": ("data objects read while 10,000 partitions were re-shared", "= 0"),
    "reshared_s": ("seconds that took", ""),
    "sources_windows_to_delimited": ("text in windows-1252 read, to UTF-8", ""),
    "sources_gzip_to_delimited": ("text packed with gzip read, to plain", ""),
    "sources_zstd_to_delimited": ("text packed with Zstandard read, to plain", ""),
    "sources_fixed_to_delimited": ("text of fixed width read, to delimited", ""),
    "sources_parquet_to_delimited": ("typed Parquet read as text, to delimited text", ""),
    "sources_sas_to_delimited": ("SAS7BDAT read as text, to delimited text", ""),
    "sources_fhir_to_delimited": ("FHIR resources read as rows, to delimited text", ""),
    "sources_delimited_rows_s": ("rows of delimited text a second and core", ""),
    "sources_sas_reader_to_ours": (
        "pandas reading a SAS file alone, to ours with its text",
        "≥ 0.90",
    ),
    "sources_json_loads_to_fhir": ("Python's json.loads of every line, to ours with its rows", ""),
    "synthetic_lines_per_cpu_s": ("made-up lines a second and core, all tables", "≥ 150,000"),
    "synthetic_peak_mib": ("memory of the greatest process that draws them, MiB", "≤ 1,500"),
    "bulk_to_openssl": ("pseudonyms a second to openssl's HMAC-SHA-256", "≥ 0.50"),
}


def main() -> None:
    """Measure everything and print it."""
    for measure in (
        ingest,
        scan,
        selective,
        pseudonyms,
        scrub,
        sealing,
        opening,
        resharing,
        exposure,
        sources,
        synthetic,
    ):
        print(f"{measure.__name__.rpartition('.')[2]}:")
        for key, value in measure.main().items():
            what, goal = GOALS.get(key, (key, ""))
            print(f"  {value:>8}  {what}" + (f"  (goal {goal})" if goal else ""), flush=True)


if __name__ == "__main__":
    main()
