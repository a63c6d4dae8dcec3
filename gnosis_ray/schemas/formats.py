"""Formats: whole numbers that say how something was written. ``docs/formats.md`` says what each of them holds."""

from __future__ import annotations

from importlib.metadata import version

from gnosis_ray.errors import FormatError, GnosisError


def checked_format(found: object, newest: int, what: str, damaged: type[GnosisError] = FormatError) -> int:
    """``found`` where this version reads it: 1 to ``newest``.

    Raises :class:`FormatError` for a newer one, and ``damaged`` for what is no format: :class:`IntegrityError` where we
    wrote it, and nobody else. Either names ``what`` has it.
    """
    if isinstance(found, bool) or not isinstance(found, int) or found < 1:
        raise damaged(f"{what}: Expected a format, a whole number such as 1, was {found!r}")
    if found > newest:
        known = "format 1" if newest == 1 else f"formats 1 to {newest}"
        raise FormatError(
            f"{what} has format {found}; gnosis-ray {version('gnosis-ray')} reads {known}. "
            "Read it with the version that wrote it, or a newer one"
        )
    return found
