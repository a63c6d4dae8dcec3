"""The manifests of a ledger's runs: JSON files that are written once, before a run is worked."""

from __future__ import annotations

import json

from pydantic import ValidationError

from gnosis_ray.errors import IntegrityError
from gnosis_ray.ledger.partition import RunPartition, ledger_errors
from gnosis_ray.schemas.formats import checked_format
from gnosis_ray.schemas.run_schemas import MANIFEST_FORMAT, RunManifest

MANIFESTS = "manifests"
MANIFEST_FILE = "manifest.json"


def manifest_name(partition: RunPartition) -> str:
    """The manifest's file."""
    return f"{partition.folder(MANIFESTS)}/{MANIFEST_FILE}"


def manifest_bytes(manifest: RunManifest) -> bytes:
    """The file's content."""
    return manifest.model_dump_json(indent=2).encode()


def read_manifest(partition: RunPartition) -> RunManifest:
    """What a run set out to do.

    Raises :class:`FormatError` where it has a newer format, whatever else it holds; :class:`IntegrityError` where it
    is no manifest.
    """
    place = partition.backend.root / manifest_name(partition)
    with ledger_errors(f"read {place}"):
        body = partition.backend.get(manifest_name(partition))
    try:
        _check_format(partition, body)
        return RunManifest.model_validate_json(body)
    except ValueError as error:  # of JSON, and of pydantic
        raise IntegrityError(f"Cannot read {place}: {_reason(error)}", cause=type(error).__name__) from error


def require_known_format(partition: RunPartition) -> None:
    """Raise :class:`FormatError` where the run has a newer format; records appended without a run have no manifest."""
    try:
        _check_format(partition, partition.backend.get(manifest_name(partition)))
    except FileNotFoundError:
        return
    except ValueError as error:
        place = partition.backend.root / manifest_name(partition)
        raise IntegrityError(f"Cannot read {place}: it is not JSON: {error}", cause=type(error).__name__) from error


def _check_format(partition: RunPartition, body: bytes) -> None:
    found = json.loads(body)
    format_ = found.get("format", 1) if isinstance(found, dict) else 1  # else refused as a manifest
    checked_format(format_, MANIFEST_FORMAT, f"Run {partition.run_id} in {partition.backend.root}")


def _reason(error: ValueError) -> str:
    """One line: the first fault of a manifest's fields, or the text of what JSON is not."""
    if not isinstance(error, ValidationError):
        return f"it is not JSON: {error}"
    fault = error.errors()[0]
    return f"{'.'.join(map(str, fault['loc'])) or 'manifest'}: {fault['msg']}"
