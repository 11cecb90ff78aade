"""A folder on a disk as a place for files. What is in it is readable by its owner alone."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path, PurePosixPath

from tidemark.errors import Misuse, NotFound
from tidemark.ports import Found, Place

PARTIAL = ".part-"


class FolderPlace(Place):
    """Files below a folder, which is made when the first of them is put."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, key: str, content: bytes) -> None:
        path = self._path(key)
        for folder in reversed([path.parent, *path.parent.parents]):
            if not folder.exists():
                folder.mkdir(mode=0o700, exist_ok=True)
        handle, partial = tempfile.mkstemp(prefix=PARTIAL, dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())  # the name must not outlive a power cut that the content did not
            Path(partial).replace(path)
        except BaseException:
            Path(partial).unlink(missing_ok=True)
            raise

    def get(self, key: str) -> bytes:
        try:
            return self._path(key).read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise NotFound(f"there is no {key!r}") from None

    def find(self, prefix: str) -> list[Found]:
        # Only the folder that the prefix leads to is looked through.
        below = self._folder / prefix.rpartition("/")[0]
        paths = [path for path in below.rglob("*") if path.is_file()] if below.is_dir() else []
        found = [(path.relative_to(self._folder).as_posix(), path.stat()) for path in paths]
        return [
            Found(key, stat.st_mtime_ns // 1_000_000, stat.st_size)
            for key, stat in sorted(found, key=lambda one: one[0])
            if key.startswith(prefix)
        ]

    def remove(self, key: str) -> None:
        path = self._path(key)
        path.unlink(missing_ok=True)
        for folder in path.parents:
            if folder == self._folder or not folder.is_dir() or any(folder.iterdir()):
                return
            folder.rmdir()

    def _path(self, key: str) -> Path:
        parts = PurePosixPath(key).parts
        if not parts or key.startswith("/") or ".." in parts:
            raise Misuse(f"{key!r} is not the name of a file in a folder")
        return self._folder.joinpath(*parts)
