"""A drawing as inline SVG that follows the page: text stays text, colors are the page's CSS variables, no ids clash.

Matplotlib draws with the stand-in colors of `THEME`; `_themed` then swaps each for its variable, so that one drawing
serves light and dark.
"""

import io
from collections.abc import Callable
from xml.etree import ElementTree

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

SVG = "{http://www.w3.org/2000/svg}"
XLINK = "{http://www.w3.org/1999/xlink}"
INK, LINE, DENSE, TICKET, EXTRA, PAPER = "#010203", "#010204", "#010205", "#010206", "#010207", "#010208"
THEME = {
    INK: "var(--muted)",
    LINE: "var(--line)",
    DENSE: "var(--dense)",
    TICKET: "var(--ticket)",
    EXTRA: "var(--extra)",
    PAPER: "var(--surface)",
}
WIDTH = 390 / 72  # inches; a unit of the drawing is a point: 0.8 of a CSS pixel on a phone, 1.1 on a desk
STYLE = {
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.size": 12,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.edgecolor": LINE,
    "axes.labelcolor": INK,
    "axes.labelsize": 12,
    "axes.axisbelow": True,
    "text.color": INK,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "ytick.major.size": 0,
    "grid.color": LINE,
    "legend.frameon": False,
    "legend.fontsize": 12,
    "lines.linewidth": 2,
    "lines.markersize": 6,
    "lines.markeredgecolor": PAPER,
    "lines.markeredgewidth": 1.5,
}


def svg(name: str, draw: Callable[[Axes], None], *, width: float = WIDTH, height: float = 280 / 72) -> str:
    """What `draw` draws, as SVG for a page; sizes are in inches. A legend stands above where there are two labels."""
    with style.context({**STYLE, "svg.hashsalt": name}, after_reset=True):
        figure = Figure(figsize=(width, height), layout="constrained")
        ax = figure.add_subplot()
        draw(ax)
        handles, labels = ax.get_legend_handles_labels()
        if len(labels) > 1:
            order = sorted(range(len(labels)), key=lambda i: labels[i].startswith("its"))  # "dense model, its interval"
            figure.legend(
                [handles[i] for i in order],
                [labels[i] for i in order],
                loc="outside upper left",
                ncols=2,
                handlelength=1.6,
            )
        buffer = io.BytesIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return _themed(buffer.getvalue(), name)


def _themed(drawing: bytes, name: str) -> str:
    """The drawing without its metadata, with CSS variables for stand-in colors and `name` before every id."""
    root = ElementTree.fromstring(drawing)
    for parent in root.iter():
        for child in [c for c in parent if c.tag.endswith("}metadata")]:
            parent.remove(child)
    for element in root.iter():
        for key, value in list(element.attrib.items()):
            element.set(key, _attribute(key, value, name))
    root.attrib.pop("width"), root.attrib.pop("height")
    root.set("aria-hidden", "true")  # the figure's label and table speak for it
    ElementTree.register_namespace("", SVG[1:-1])
    ElementTree.register_namespace("xlink", XLINK[1:-1])
    return ElementTree.tostring(root, encoding="unicode")


def _attribute(key: str, value: str, name: str) -> str:
    if key == "id":
        return f"{name}-{value}"
    if key == XLINK + "href" and value.startswith("#"):
        return f"#{name}-{value[1:]}"
    value = value.replace("url(#", f"url(#{name}-")
    for stand_in, variable in THEME.items():
        value = value.replace(stand_in, variable)
    if key != "style":
        return value
    # The family is the page's; of "font: 12px 'DejaVu Sans', …" the size stays.
    parts = [part.strip() for part in value.split(";")]
    parts = [f"font-size: {part.split()[1]}" if part.startswith("font: ") else part for part in parts]
    return "; ".join(part for part in parts if not part.startswith("font-family"))
