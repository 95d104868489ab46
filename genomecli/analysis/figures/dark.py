"""Figures on dark pages: a few rules in the SVG itself, which browsers heed in pictures as they do in pages.

Ink, axes and bands change places with the paper. A colour of data stays what it is where it stands out from
the dark paper by 3 to 1 (WCAG 2.2, success criterion 1.4.11), and is made lighter until it does elsewhere.
"""

from __future__ import annotations

import colorsys
import re

DARK_PAPER = "#14181b"
"""The page's own, see ``page.css``."""

CONTRAST = 3.0

NEUTRAL = {
    "#1f1f1f": "#e4e7ea",
    "#000000": "#ffffff",
    "#444444": "#c4cbd1",
    "#4d4d4d": "#a3adb5",
    "#d9d9d9": "#333c43",
    "#e6e6e6": "#2a3238",
    "#ffffff": DARK_PAPER,
}
"""Ink, axes, bands, grids and what is white between marks."""

_LIGHT = (b"<image", b'<g style="fill: #ffffff"', b'style="fill: #ffffff; ')
"""Signs of words on coloured cells, or of marks filled with white."""

_COLOUR = re.compile(rb"(?:fill|stroke): (#[0-9a-f]{6})")


def with_dark(svg: bytes) -> bytes:
    """A figure of matplotlib's with colours for dark pages too.

    One with words on coloured cells, or with white marks, keeps its light paper everywhere: there, ink and
    white stand on colours of their own.
    """
    if any(sign in svg for sign in _LIGHT):
        return svg
    rules = [
        f'[style*="{what}: {colour}"] {{ {what}: {dark} !important; }}'
        for colour in sorted({found.decode() for found in _COLOUR.findall(svg)})
        if (dark := on_dark(colour)) != colour
        for what in ("fill", "stroke")
    ]
    style = f"<style>@media (prefers-color-scheme: dark) {{ {' '.join(rules)} }}</style>\n"
    return svg.replace(b"<defs>", style.encode() + b"<defs>", 1)


def on_dark(colour: str) -> str:
    """What a colour becomes on dark paper, as ``#rrggbb``."""
    if colour in NEUTRAL:
        return NEUTRAL[colour]
    hue, lightness, saturation = colorsys.rgb_to_hls(*_parts(colour))
    while contrast(colour, DARK_PAPER) < CONTRAST and lightness < 1:
        lightness = min(1.0, lightness + 0.01)
        parts = colorsys.hls_to_rgb(hue, lightness, saturation)
        colour = "#" + "".join(f"{round(255 * part):02x}" for part in parts)
    return colour


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in _parts(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _parts(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return red, green, blue
