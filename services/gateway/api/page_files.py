"""The page's files as they are sent: read once, compressed once, and addressed by what they hold."""

import gzip
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

STATIC = Path(__file__).parent.parent / "static"
_TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".html": "text/html",
    ".png": "image/png",
    ".json": "application/json",
    ".txt": "text/plain; charset=utf-8",
    ".md": "text/plain; charset=utf-8",
}
_VERSION = re.compile(r"v-[0-9a-f]{12}")
_IMPORT = re.compile(r'(?:from|import)\s*"(\.[^"]+)"')
_SHEETS = re.compile(r'(?: *<link rel="stylesheet" href="/static/[^"]+" />\n)+')
_SHEET = re.compile(r'href="/static/([^"]+)"')
# Whole lines of comment, wherever one stands alone; what shares its line with code stays.
_REMARK = re.compile(rb"^[ \t]*(?:/\*(?:(?!\*/)[\s\S])*\*/|//[^\n]*)[ \t]*$", re.MULTILINE)
_OURS = ("js/", "css/")
_MODULE = re.compile(r'( *)<script type="module" src="/static/([^"]+)"></script>')


@dataclass(frozen=True, slots=True)
class PageFile:
    """A file and its smaller form, None where that would not be smaller."""

    content: bytes
    media_type: str
    etag: str
    packed: bytes | None
    packed_etag: str


def _file(content: bytes, suffix: str) -> PageFile:
    packed = gzip.compress(content, mtime=0)
    digest = hashlib.sha256(content).hexdigest()[:24]
    smaller = packed if len(packed) < len(content) else None
    return PageFile(content, _TYPES.get(suffix, "application/octet-stream"), f'"{digest}"', smaller, f'"{digest}-gzip"')


def _without_remarks(content: bytes) -> bytes:
    """Leave out comments that stand alone, and nothing else: every line keeps its number. They weigh a tenth."""
    return _REMARK.sub(lambda found: b"\n" * found[0].count(b"\n"), content)


class PageFiles:
    """All files of the page in memory; read anew when one of them changed on disk and a page is asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: dict[Path, int] = {}
        self._files: dict[str, PageFile] = {}
        self._pages: dict[str, PageFile] = {}
        self.version = ""
        self._read()

    @staticmethod
    def is_version(segment: str) -> bool:
        """Tell whether a segment of an address names a version."""
        return _VERSION.fullmatch(segment) is not None

    def get(self, path: str) -> PageFile | None:
        """Return the file of this path; None for whatever is none of the page's."""
        return self._files.get(path)

    def page(self, name: str) -> PageFile:
        """Return a page whose files carry the version, with one sheet, and which names every module it will need."""
        if self._look() != self._seen:
            self._read()
        return self._pages[name]

    def _page(self, name: str) -> PageFile:
        text = self._files[name].content.decode("utf-8")
        text = _SHEETS.sub(lambda found: self._one_sheet(found, name), text)
        text = _MODULE.sub(self._with_modules, text)
        return _file(text.replace("/static/", f"/static/{self.version}/").encode(), ".html")

    def _look(self) -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in sorted(self._folder.rglob("*")) if path.is_file()}

    def _read(self) -> None:
        self._seen = self._look()
        self._files = {}
        for path in self._seen:
            name, content = path.relative_to(self._folder).as_posix(), path.read_bytes()
            # What others wrote keeps its licence.
            self._files[name] = _file(_without_remarks(content) if name.startswith(_OURS) else content, path.suffix)
        names = "".join(f"{name} {file.etag} " for name, file in self._files.items())
        self.version = f"v-{hashlib.sha256(names.encode()).hexdigest()[:12]}"
        self._pages = {name: self._page(name) for name in list(self._files) if name.endswith(".html")}

    def _one_sheet(self, found: re.Match[str], page: str) -> str:
        """Put one sheet for all that stand together: ten small answers weigh more than their content."""
        whole = b"".join(self._files[name].content for name in _SHEET.findall(found[0]))
        path = f"css/of-{page.removesuffix('.html')}.css"
        self._files[path] = _file(whole, ".css")
        return f'    <link rel="stylesheet" href="/static/{path}" />\n'

    def _with_modules(self, found: re.Match[str]) -> str:
        """Put a preload of every module before the script: a browser would find them one import after the other."""
        indent, entry = found[1], found[2]
        preloads = [
            f'{indent}<link rel="modulepreload" href="/static/{name}" />\n'
            for name in self._modules(entry)
            if name != entry
        ]
        return "".join(preloads) + found[0]

    def _modules(self, entry: str) -> list[str]:
        known, waiting = [entry], [entry]
        while waiting:
            here = waiting.pop(0)
            for target in _IMPORT.findall(self._files[here].content.decode("utf-8")):
                name = (self._folder / here).parent.joinpath(target).resolve().relative_to(self._folder.resolve())
                if name.as_posix() not in known:
                    known.append(name.as_posix())
                    waiting.append(name.as_posix())
        return known
