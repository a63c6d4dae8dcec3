"""Imports external data sets into the store, driven by declared mappings; every dropped row has a reason."""

from gnosis_ray.data.importing.importer import FINDINGS, ImportReport, import_dataset
from gnosis_ray.data.importing.mapping import ImportMapping
from gnosis_ray.data.importing.mapping_files import load_mapping, mapping_names

__all__ = ["FINDINGS", "ImportMapping", "ImportReport", "import_dataset", "load_mapping", "mapping_names"]
