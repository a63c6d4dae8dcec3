"""What was written is what is read: of every bit that flips, something is said."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnosis_ray.errors import IntegrityError
from gnosis_ray.storage.digests import (
    digest_of,
    require_digest,
    require_file_digests,
    with_own_digest,
    without_own_digest,
)

PLACE = Path("/ledger/commits/batch-00000")
DOCUMENTS = st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=9), max_size=4)


@given(DOCUMENTS, st.sampled_from([None, 2]))
def test_a_document_comes_back_without_its_digest(fields: dict[str, object], indent: int | None) -> None:
    body = json.dumps(fields, indent=indent).encode()
    own, had_one = without_own_digest(with_own_digest(body), PLACE)
    assert (json.loads(own), had_one) == (fields, True)
    assert without_own_digest(body, PLACE) == (body, False)


@given(st.data())
def test_no_flipped_bit_of_a_document_goes_unnoticed(data: st.DataObject) -> None:
    body = bytearray(with_own_digest(b'{"batch":0,"rows":{"snapshots":80}}'))
    at, bit = data.draw(st.integers(0, len(body) - 1)), data.draw(st.integers(0, 7))
    body[at] ^= 1 << bit
    try:
        own, had_one = without_own_digest(bytes(body), PLACE)
    except IntegrityError:
        return
    assert not had_one, "what claims a digest has the right one"
    try:
        fields = json.loads(own)
    except ValueError:
        return
    assert "rows" not in fields or set(fields) - {"batch", "rows"}, "a field is left that no contract knows"


def test_a_file_is_hashed_once_unless_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "part"
    path.write_bytes(b"rows")
    expected = digest_of(b"rows")[:32]
    require_file_digests([(path, expected)])
    path.chmod(0o000)
    if os.geteuid() != 0:  # root reads it nevertheless
        require_file_digests([(path, expected)])
    path.chmod(0o600)
    path.write_bytes(b"rowz")
    with pytest.raises(IntegrityError, match="part is not what was written"):
        require_file_digests([(path, expected), (path, expected)])
    with pytest.raises(IntegrityError, match="is not what was written: Expected SHA-256"):
        require_digest(b"rowz", expected, path)
