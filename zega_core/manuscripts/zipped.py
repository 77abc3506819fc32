"""Files of a ZIP that came from anybody: nothing is unpacked to a disk, and none may be larger than it says."""

from __future__ import annotations

import io
import zipfile
from zlib import error as ZlibError

from zega_core.errors import InvalidInput

MOST_FILES = 5_000
MOST_BYTES = 120_000_000
"""Of all that is read from one file, unpacked."""
MOST_RATIO = 200
"""Times that a part of more than ``SMALL`` bytes may grow."""
SMALL = 2_000_000


class Zipped:
    """``read`` raises InvalidInput for what is broken, protected or unpacks to too much."""

    def __init__(self, data: bytes, name: str) -> None:
        self._name, self._left = name, MOST_BYTES
        try:
            self._file = zipfile.ZipFile(io.BytesIO(data))
            self._parts = {part.filename: part for part in self._file.infolist()}
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, UnicodeError) as error:
            raise InvalidInput(f"{name} is damaged: it cannot be unpacked. Save or download it again.") from error
        if len(self._parts) > MOST_FILES:
            raise self._too_large()
        for part in self._parts.values():
            if part.file_size > SMALL and part.file_size > MOST_RATIO * max(1, part.compress_size):
                raise self._too_large()

    @property
    def names(self) -> list[str]:
        return list(self._parts)

    def __contains__(self, name: str) -> bool:
        return name in self._parts

    def read(self, name: str) -> bytes:
        """The bytes of one part; counted by what really comes out, not by what the file says."""
        part = self._parts.get(name)
        if part is None:
            raise InvalidInput(f"{self._name} is damaged: a part of it is missing. Save or download it again.")
        if part.flag_bits & 1:
            raise InvalidInput(f"{self._name} is protected by a password. Save it without one and add that.")
        if part.file_size > self._left:
            raise self._too_large()
        try:
            with self._file.open(part) as opened:
                data = opened.read(self._left + 1)
        except (
            zipfile.BadZipFile,
            ValueError,
            OSError,
            EOFError,
            NotImplementedError,
            RuntimeError,
            ZlibError,
        ) as error:
            raise InvalidInput(f"{self._name} is damaged: it cannot be unpacked. Save or download it again.") from error
        self._left -= len(data)
        if self._left < 0:
            raise self._too_large()
        return data

    def _too_large(self) -> InvalidInput:
        return InvalidInput(
            f"{self._name} unpacks to far more than a manuscript has. Save its text as a txt file and add that."
        )
