"""Boxes and arrows as SVG: enough for the drawings of the documentation, and the same bytes every time."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

_HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
    'role="img" font-family="system-ui, sans-serif" font-size="14">\n<title>{title}</title>\n'
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="9" markerHeight="9" orient="auto">'
    '<path d="M0 0 8 4 0 8z" fill="#37474f"/></marker></defs>\n'
    '<rect width="100%" height="100%" rx="8" fill="#ffffff"/>\n'
)
"""A ground of its own: the drawing is read on light and on dark pages."""
_LINE_HEIGHT = 19


class Drawing:
    """A picture; places are in pixels from the upper left."""

    def __init__(self, width: int, height: int, title: str) -> None:
        self._parts = [_HEAD.format(width=width, height=height, title=escape(title))]

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        title: str,
        lines: Sequence[str] = (),
        *,
        strong: bool = False,
    ) -> None:
        """A box with a title and lines below it, all in its middle."""
        fill, stroke = ("#e3e8fd", "#303f9f") if strong else ("#f5f7f8", "#78909c")
        self._parts.append(
            f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="6" '
            f'fill="{fill}" stroke="{stroke}"/>\n'
        )
        first = y + height / 2 + 5 - _LINE_HEIGHT * len(lines) / 2
        for at, line in enumerate((title, *lines)):
            self.text(x + width / 2, first + _LINE_HEIGHT * at, line, middle=True, bold=bool(lines) and not at)

    def text(
        self, x: float, y: float, line: str, *, middle: bool = False, end: bool = False, bold: bool = False
    ) -> None:
        """One line; x is its begin, its middle or its end."""
        anchor = "middle" if middle else "end" if end else "start"
        weight = ' font-weight="600"' if bold else ""
        self._parts.append(
            f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" fill="#212121"{weight}>{escape(line)}</text>\n'
        )

    def arrow(self, x: float, y: float, to_x: float, to_y: float, label: str) -> None:
        """A line with a tip, and words above its middle."""
        self._parts.append(
            f'<path d="M{x:g} {y:g} {to_x:g} {to_y:g}" stroke="#37474f" fill="none" marker-end="url(#tip)"/>\n'
        )
        if label:
            self.text((x + to_x) / 2, (y + to_y) / 2 - 8, label, middle=True)

    def line(self, places: Sequence[tuple[float, float]]) -> None:
        """A line through several places, without a tip."""
        path = " ".join(f"{x:g} {y:g}" for x, y in places)
        self._parts.append(f'<path d="M{path}" stroke="#37474f" fill="none"/>\n')

    def render(self) -> str:
        """The picture as text."""
        return "".join(self._parts) + "</svg>\n"
