"""What is to be put back, on disk before it is changed.

A note says how something was, not what to do about it. To put it back is to look, and to change
what differs, so that it does not matter how far a run got, nor how often it is put back.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connect_associations.cli.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Sequence

Note = dict[str, Any]
"""What was noted: its ``kind``, and what is needed to put it back."""


class Journal:
    """The notes of a run, or of one before it that was not finished.

    :param path: the file, which exists for as long as there is something to put back.
    :raises CommandError: the file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._notes: list[Note] = []
        try:
            self._notes = json.loads(path.read_text(encoding="utf-8"))["notes"]
        except FileNotFoundError:
            pass
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CommandError(
                f"the journal {path} cannot be read ({error}); it says what an earlier run left "
                "to put back: mend it, or put that back by hand and delete the file"
            ) from error

    @property
    def notes(self) -> Sequence[Note]:
        """What is to be put back, in the order in which it was noted."""
        return tuple(self._notes)

    def note(self, kind: str, **what: object) -> Note:
        """Note something before it is changed.

        :raises CommandError: it cannot be written, so that nothing must be changed.
        """
        note: Note = {"kind": kind, **what}
        self._notes.append(note)
        self._write()
        return note

    def amend(self, note: Note, **what: object) -> None:
        """Add to a note what is known by now, for example the ID of what was made."""
        note.update(what)
        self._write()

    def done(self, note: Note) -> None:
        """Forget a note: all is as it was."""
        self._notes.remove(note)
        self._write()

    def _write(self) -> None:
        try:
            if not self._notes:
                self.path.unlink(missing_ok=True)
                return
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # A crash leaves the old file or the new one.
            handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump({"notes": self._notes}, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(self.path)
        except OSError as error:
            raise CommandError(
                f"the journal {self.path} cannot be written: {error}; name another file with "
                "--journal"
            ) from error
