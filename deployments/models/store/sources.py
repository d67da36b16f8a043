"""Where a package may come from: a path on this machine, or a URL that fsspec opens.

Whoever runs the command line or writes an endpoint's arguments may name any address; nothing that an HTTP client sends
ever comes here. Credentials are found by fsspec's own rules (environment, profiles, instance roles) and never shown.
"""

from __future__ import annotations

import hashlib
import importlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from fsspec.callbacks import Callback
from fsspec.core import url_to_fs

from deployments.models.errors import ModelSourceError
from deployments.models.package_layouts.weights_file import pickles_refused

BACKENDS: Mapping[str, str] = {
    "file": "fsspec",
    "memory": "fsspec",
    "http": "aiohttp",
    "https": "aiohttp",
    "s3": "s3fs",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "az": "adlfs",
    "abfs": "adlfs",
    "hf": "huggingface_hub",
}
"""Scheme -> the module that opens it."""

SINGLE_FILES = (".onnx", ".safetensors", ".zip")
"""How the name of a source ends that is one file and no folder."""

WEB_FILES = (
    "weights.onnx",
    "weights.fp16.onnx",
    "weights.int8.onnx",
    "yolov5s_weights.onnx",
    "class_names.txt",
    "model_config.json",
    "inference_config.json",
    "environment.json",
    "model_type.json",
    "keypoints_metadata.json",
)
"""What a package may hold: web servers list no folders, so these names are asked for, and then those that they name."""

WEB_PICKLES = ("weights.pt", "best.pt", "weights.pth")
"""What is asked for in the same way when there is nothing else to run."""

NEVER_FETCHED = frozenset({".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib"})
"""Files of a package that nothing here opens."""

VERSION_KEYS = ("ETag", "etag", "content_md5", "Content-MD5", "md5Hash", "generation", "blob_id", "Digest")
TIME_KEYS = ("LastModified", "last_modified", "Last-Modified", "mtime", "created")
NOT_FOUND = 404
CONNECT_TIMEOUT_S, READ_TIMEOUT_S = 30, 60


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """One file of a source.

    Attributes:
        name: its path in the source, with slashes.
        path: as the file system calls it.
        size_bytes: None when the server does not say.
        version: changes when its content does; None when the server says nothing of the kind.
        sha256: of its content, where the server knows; None elsewhere.
    """

    name: str
    path: str
    size_bytes: int | None
    version: str | None
    sha256: str | None


class Source:
    """A folder, a file or an archive, here or elsewhere."""

    def __init__(self, text: str) -> None:
        """Nothing is opened yet.

        Args:
            text: a path or a URL.

        Raises:
            ModelSourceError: no such scheme, or what opens it is not installed.
        """
        scheme, separator, _ = text.partition("://")
        self.is_local = not separator or scheme == "file"
        self.text = text if separator else str(Path(text).expanduser().absolute())
        self.shown = without_credentials(self.text)
        if separator and scheme not in BACKENDS:
            raise ModelSourceError(
                f"{self.shown}: packages come from a path, or a URL of {', '.join(sorted(BACKENDS))}", self.shown
            )
        self._scheme = scheme if separator else "file"
        try:
            importlib.import_module(BACKENDS[self._scheme])
        except ImportError as error:
            raise ModelSourceError(
                f"{self.shown}: {self._scheme} needs {BACKENDS[self._scheme]}, which is not installed; install "
                "sightline with its extra `sources`",
                self.shown,
            ) from error
        self._is_web = self._scheme in ("http", "https")

    @property
    def key(self) -> str:
        """Tells it from other sources; fit for the name of a file."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:32]

    @property
    def file_name(self) -> str | None:
        """Name of the file that it is; None for a folder."""
        path = urlsplit(self.text).path if self._is_web else self.text
        name = PurePosixPath(path).name
        return name if name.lower().endswith(SINGLE_FILES) else None

    @property
    def lists_nothing(self) -> bool:
        """Whether it is a folder of which nobody says what is in it: files must be asked for by name."""
        return self._is_web and self.file_name is None

    @property
    def name(self) -> str:
        """What to call a package that gives itself no name: the last two names of a folder, or the name of a file."""
        path = PurePosixPath(urlsplit(self.text).path if self._is_web else self.text.partition("://")[2] or self.text)
        if self.file_name is not None and path.stem != "weights":
            return path.stem
        folder = path if self.file_name is None else path.parent
        return "/".join(folder.parts[-2:]).lstrip("/")

    def files(self, further: Collection[str] = ()) -> tuple[SourceFile, ...]:
        """Its files by name, pickles and hidden ones left out.

        Args:
            further: names that are asked for too, where a folder lists nothing.

        Raises:
            ModelSourceError: it cannot be reached, or there is nothing.
        """
        with self._as_source_error():
            if self.file_name is not None:
                found = {self.file_name: self._info(self.text)}
            elif self._is_web:
                found = self._web_files({*WEB_FILES, *further})
            else:
                found = self._tree()
        files = _wanted(found)
        if not files:
            pickles = self.pickles()
            wrong = pickles_refused(pickles) if pickles else "there are no files of a model package"
            raise ModelSourceError(f"{self.shown}: {wrong}", self.shown)
        return files

    def pickles(self) -> tuple[str, ...]:
        """Names of its files that are never fetched, to be told to somebody who misses weights.

        Raises:
            ModelSourceError: it cannot be reached.
        """
        with self._as_source_error():
            if self.file_name is not None:
                return ()
            found = self._web_files(WEB_PICKLES) if self._is_web else self._tree()
        # Of a source that is one file the tree has that one, without a name.
        names = (name or PurePosixPath(self.text).name for name in sorted(found))
        return tuple(name for name in names if PurePosixPath(name).suffix.lower() in NEVER_FETCHED)

    def named_files(self, names: Collection[str]) -> tuple[SourceFile, ...]:
        """Those of some files that are there, where a folder lists nothing.

        Raises:
            ModelSourceError: it cannot be reached.
        """
        with self._as_source_error():
            return _wanted(self._web_files(names))

    def fetch(self, file: SourceFile, target: Path, most_bytes: int) -> None:
        """Bring one file here.

        Raises:
            ModelSourceError: it cannot be fetched, has another size than its server said, or is larger than
                `most_bytes`.
        """
        if (file.size_bytes or 0) > most_bytes:
            raise self._too_large(file, most_bytes)
        with self._as_source_error():
            self._file_system().get_file(file.path, str(target), callback=_Bound(most_bytes))
        size_bytes = target.stat().st_size
        if size_bytes > most_bytes:
            raise self._too_large(file, most_bytes)
        if file.size_bytes is not None and size_bytes != file.size_bytes:
            raise ModelSourceError(
                f"{self.shown}: of the {file.size_bytes} bytes of {file.name} only {size_bytes} came; try again",
                self.shown,
            )

    def _too_large(self, file: SourceFile, most_bytes: int) -> ModelSourceError:
        return ModelSourceError(
            f"{self.shown}: {file.name} is larger than the {most_bytes} bytes that are left for a source", self.shown
        )

    def _file_system(self) -> Any:
        options: dict[str, Any] = {"skip_instance_cache": True, "use_listings_cache": False}
        if self._is_web:
            from aiohttp import ClientTimeout

            timeout = ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S, sock_read=READ_TIMEOUT_S)
            options["client_kwargs"] = {"timeout": timeout, "trust_env": True}
        return url_to_fs(self.text, **options)[0]

    def _info(self, text: str) -> Mapping[str, Any]:
        file_system = self._file_system()
        info: Mapping[str, Any] = file_system.info(file_system._strip_protocol(text))
        if info.get("type") == "directory":
            raise IsADirectoryError(f"{self.file_name} is a folder")
        return {**info, "name": file_system._strip_protocol(text)}

    def _web_files(self, names: Collection[str]) -> dict[str, Mapping[str, Any]]:
        parts = urlsplit(self.text)
        found: dict[str, Mapping[str, Any]] = {}
        for name in sorted(names):
            path = f"{parts.path.rstrip('/')}/{quote(name)}"
            try:
                found[name] = self._info(urlunsplit(parts._replace(path=path)))
            except FileNotFoundError as error:
                if _hidden_cause(error) is not None:
                    raise
        return found

    def _tree(self) -> dict[str, Mapping[str, Any]]:
        file_system = self._file_system()
        root = file_system._strip_protocol(self.text).rstrip("/")
        found: dict[str, Mapping[str, Any]] = file_system.find(root, detail=True)
        if not found and not file_system.exists(root):
            raise FileNotFoundError(root)
        return {path.removeprefix(root).lstrip("/"): info for path, info in found.items()}

    @contextmanager
    def _as_source_error(self) -> Iterator[None]:
        try:
            yield
        except ModelSourceError:
            raise
        except Exception as error:  # each file system raises errors of its own libraries
            cause = _hidden_cause(error) or error
            if isinstance(cause, FileNotFoundError):
                raise ModelSourceError(f"{self.shown} does not exist", self.shown) from error
            lines = without_credentials(str(cause)).strip().splitlines() or [""]
            raise ModelSourceError(
                f"{self.shown} cannot be read: {type(cause).__name__}{': ' if lines[0] else ''}{lines[0]}", self.shown
            ) from error


def version_of(files: Iterable[SourceFile]) -> str | None:
    """Changes when any of the files does; None when one of them has no version."""
    digest = hashlib.sha256()
    for file in files:
        if file.version is None:
            return None
        digest.update(f"{file.name}\0{file.version}\0".encode())
    return digest.hexdigest()


class _Bound(Callback):  # type: ignore[misc]
    """Stops a transfer that brings more than it should."""

    def __init__(self, most_bytes: int) -> None:
        super().__init__()
        self._most_bytes = most_bytes

    def call(self, *_: Any, **__: Any) -> None:
        if self.value > self._most_bytes:
            raise ValueError(f"more than {self._most_bytes} bytes came")


def _hidden_cause(error: Exception) -> BaseException | None:
    """What really happened when a web server's file is said not to exist: fsspec says so of every failure."""
    cause = error.__cause__
    if isinstance(error, FileNotFoundError) and cause is not None and getattr(cause, "status", None) != NOT_FOUND:
        return cause
    return None


def without_credentials(text: str) -> str:
    """A text with what URLs in it may hide taken out: user names, passwords and signed queries."""
    text = re.sub(r"//[^/@\s]*@", "//", text)
    return re.sub(r"(\w://[^\s?'\"]*)\?[^\s'\"]*", r"\1", text)


def _wanted(found: Mapping[str, Mapping[str, Any]]) -> tuple[SourceFile, ...]:
    return tuple(_described(name, info) for name, info in sorted(found.items()) if _is_wanted(name))


def _described(name: str, info: Mapping[str, Any]) -> SourceFile:
    tags = [str(info[key]) for key in VERSION_KEYS if info.get(key)]
    times = [str(info[key]) for key in TIME_KEYS if info.get(key)]
    size_bytes = info.get("size")
    lfs = info.get("lfs")  # of the Hugging Face hub
    sha256 = lfs.get("sha256") if isinstance(lfs, Mapping) else getattr(lfs, "sha256", None)
    return SourceFile(
        name=name,
        path=str(info["name"]),
        size_bytes=None if size_bytes is None else int(size_bytes),
        version=" ".join([*(tags or times), str(size_bytes)]) if tags or times else None,
        sha256=sha256,
    )


def _is_wanted(name: str) -> bool:
    parts = PurePosixPath(name).parts
    hidden = any(part.startswith((".", "__")) for part in parts)
    return bool(parts) and not hidden and ".." not in parts and PurePosixPath(name).suffix.lower() not in NEVER_FETCHED
