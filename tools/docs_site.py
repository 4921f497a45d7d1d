"""Hooks of mkdocs.yml: what the site has besides the pages of docs/.

Pages link to schemas, contracts and examples of the repository; these files come with the site under `files/`, and a
link to a folder leads to a page that lists it. So the pages read the same in the repository and on the site.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PROJECT_PAGES = ("CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")
INDEX_PAGES = ("README.md", "index.md")
LINK = re.compile(r"(\]\()([^)#:\s]+)((?:#[^)]*)?\))")

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the pages of a folder into the navigation where it names the folder."""
    config.nav = [_expanded(entry) for entry in config.nav or []]
    return config


def _expanded(entry: Any) -> Any:
    if isinstance(entry, dict):
        return {title: _expanded(value) for title, value in entry.items()}
    if isinstance(entry, list):
        return [_expanded(one) for one in entry]
    return _pages(entry) if entry.endswith("/") else entry


def _pages(folder: str) -> list[str]:
    names = sorted(path.name for path in (DOCS / folder).glob("*.md") if path.name != "0000-template.md")
    return [folder + name for name in sorted(names, key=lambda name: name not in INDEX_PAGES)]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the project's own pages, and every file and folder of the repository that a page links to."""
    from mkdocs.structure.files import File

    for name in PROJECT_PAGES:
        files.append(File.generated(config, f"project/{name}", content=moved(ROOT / name, f"project/{name}")))
    for target in sorted(linked()):
        path, place = ROOT / target, site_path(target)
        if path.is_dir():
            files.append(File.generated(config, place, content=listing(target)))
        elif files.get_file_from_path(place) is None:
            files.append(File.generated(config, place, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, *, page: Page, **_: object) -> str:
    """Lead links that leave docs/ to their place on the site."""
    source = DOCS / page.file.src_uri
    return markdown if page.file.generated_by else moved(source, page.file.src_uri)


def moved(source: Path, place: str) -> str:
    """The text of a page with its links as they must be at `place` of the site."""

    def lead(match: re.Match[str]) -> str:
        target = repository_path(source, match[2])
        if target is None:
            return match[0]
        return match[1] + posixpath.relpath(site_path(target), posixpath.dirname(place) or ".") + match[3]

    return LINK.sub(lead, source.read_text("utf-8"))


def repository_path(source: Path, link: str) -> str | None:
    """The file or folder of the repository that a relative link names; nothing when it is none."""
    path = Path(os.path.normpath(source.parent / link))
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) and path.exists() else None


def site_path(target: str) -> str:
    """Where a file or folder of the repository is found on the site."""
    if (ROOT / target).is_dir():
        inside = next((name for name in INDEX_PAGES if (ROOT / target / name).is_file()), None)
        if target.startswith("docs/") and inside:
            return f"{target.removeprefix('docs/')}/{inside}"
        return f"files/{target}/index.md"
    if target in PROJECT_PAGES:
        return f"project/{target}"
    return target.removeprefix("docs/") if target.startswith("docs/") else f"files/{target}"


def linked() -> set[str]:
    """Files and folders outside docs/ that pages link to, with everything in those folders."""
    found: set[str] = set()
    for source in [*DOCS.rglob("*.md"), *(ROOT / name for name in PROJECT_PAGES)]:
        targets = (repository_path(source, match[2]) for match in LINK.finditer(source.read_text("utf-8")))
        for target in targets:
            if target and target not in PROJECT_PAGES and site_path(target).startswith("files/"):
                found |= set(with_content(target))
    return found


def with_content(target: str) -> Iterator[str]:
    """The target itself, and what it holds when it is a folder."""
    yield target
    if (ROOT / target).is_dir():
        for path in sorted((ROOT / target).iterdir()):
            if not path.name.startswith((".", "__")):
                yield from with_content(path.relative_to(ROOT).as_posix())


def listing(folder: str) -> str:
    """A page that lists a folder."""
    entries = [path for path in sorted((ROOT / folder).iterdir()) if not path.name.startswith((".", "__"))]
    lines = [f"- [{path.name}]({path.name}{'/index.md' if path.is_dir() else ''})" for path in entries]
    return f"# {folder}\n\n" + "\n".join(lines) + "\n"
