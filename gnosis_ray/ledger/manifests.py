"""The manifests of a ledger's runs: JSON files that are written once, before a run is worked."""

from __future__ import annotations

import json
import shlex

from pydantic import ValidationError

from gnosis_ray.errors import IntegrityError
from gnosis_ray.ledger.partition import COMMITS, RunPartition, ledger_errors
from gnosis_ray.schemas.expectations import expected, place, was
from gnosis_ray.schemas.formats import checked_format
from gnosis_ray.schemas.run_schemas import MANIFEST_FORMAT, RunManifest
from gnosis_ray.storage.digests import with_own_digest, without_own_digest
from gnosis_ray.storage.location import Location

MANIFESTS = "manifests"
MANIFEST_FILE = "manifest.json"


def manifest_name(partition: RunPartition) -> str:
    """The manifest's file."""
    return f"{partition.folder(MANIFESTS)}/{MANIFEST_FILE}"


def manifest_copy_name(partition: RunPartition) -> str:
    """Its copy beside the markers, from which it is restored where it was lost."""
    return f"{partition.folder(COMMITS)}/{MANIFEST_FILE}"


def manifest_bytes(manifest: RunManifest) -> bytes:
    """The file's content: JSON, with a digest of its own."""
    return with_own_digest(manifest.model_dump_json(indent=2).encode())


def read_manifest(partition: RunPartition) -> RunManifest:
    """What a run set out to do.

    Raises :class:`FormatError` where it has a newer format, whatever else it holds; :class:`IntegrityError` where it
    is no manifest.
    """
    name = manifest_name(partition)
    place = partition.backend.root / name
    with ledger_errors(f"read {place}"):
        try:
            body = partition.backend.get(name)
        except FileNotFoundError:
            raise lost_manifest(partition) from None
    return parse_manifest(partition, body, place)


def parse_manifest(partition: RunPartition, body: bytes, place: Location) -> RunManifest:
    """The manifest in a file's content, read from ``place``. Raises as :func:`read_manifest`."""
    try:
        own, _ = without_own_digest(body, place)  # a flipped bit is no newer format
        _check_format(partition, own)
        return RunManifest.model_validate_json(own)
    except ValueError as error:  # of JSON, and of pydantic
        raise IntegrityError(f"Cannot read {place}: {_reason(error)}", cause=type(error).__name__) from error


def lost_manifest(partition: RunPartition) -> IntegrityError:
    """The error of a run of which there is something, but no manifest."""
    root = partition.backend.root
    return IntegrityError(
        f"Run {partition.run_id} in {root} has lost its manifest, {manifest_name(partition)}. Where a copy is left, "
        f"this restores it: `gnosis-ray runs repair {partition.run_id} --out {shlex.quote(str(root))}`",
        stage="ledger",
    )


def _check_format(partition: RunPartition, body: bytes) -> None:
    found = json.loads(body)
    format_ = found.get("format", 1) if isinstance(found, dict) else 1  # else refused as a manifest
    checked_format(format_, MANIFEST_FORMAT, f"Run {partition.run_id} in {partition.backend.root}", IntegrityError)


def _reason(error: ValueError) -> str:
    """One line: the first fault of a manifest's fields, or the text of what JSON is not."""
    if not isinstance(error, ValidationError):
        return f"it is not JSON: {error}"
    fault = error.errors(include_url=False)[0]
    return f"{place(fault) or 'manifest'}: Expected {expected(fault)}, was {was(fault['input'])}"
