"""The charts of a run, as files in its folder hold them: still pictures, and what they were drawn of."""

from __future__ import annotations

import html
import json
import os
import re
import tempfile
from base64 import b64encode
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from ._render import plain
from .errors import FileError, OptionError, RunError

__all__ = ["Chart", "Plots"]

VEGA_LITE = "application/vnd.vegalite.v6+json"
"""What Jupyter draws by itself; only given when it is asked for."""

_TAGS = frozenset(
    "svg g path line rect circle text tspan title desc defs stop linearGradient radialGradient "
    "clipPath mask".split()
)
_SVG = "{http://www.w3.org/2000/svg}"
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>body {{ font-family: system-ui, sans-serif; margin: 2rem }} svg {{ max-width: 100%; height: auto }}</style>
</head>
<body>
<h1>{title}</h1>
{svg}
</body>
</html>
"""


class Chart:
    """A chart of a run: a picture that stands still, and the Vega-Lite specification behind it.

    In a notebook it shows itself, as SVG.

    Attributes
    ----------
    name : str
        Such as "forest".
    title : str
        What is to be seen, in a sentence; also the picture's text for those who do not see it.
    """

    def __init__(
        self, name: str, spec: Mapping[str, Any], svg: str | None, png: bytes | None
    ) -> None:
        self.name = name
        self.title = plain(str(spec.get("description", name)))
        self._spec = json.dumps(spec)
        self._svg = svg
        self._png = png

    @property
    def spec(self) -> dict[str, Any]:
        """The specification in Vega-Lite 6, with its data inside; a copy."""
        return dict(json.loads(self._spec))

    @property
    def svg(self) -> str:
        """The picture as SVG."""
        if self._svg is None:
            raise self._undrawn()
        return self._svg

    @property
    def png(self) -> bytes:
        """The picture as PNG, with two dots for each of its own."""
        if self._png is None:
            raise self._undrawn()
        return self._png

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the chart to a file, whole or not at all.

        Parameters
        ----------
        path : path
            Ends in .svg, .png, .json (the specification) or .html (a page with the picture, which
            fetches nothing).
        """
        kind = Path(path).suffix.lower()
        if kind == ".svg":
            content = self.svg.encode()
        elif kind == ".png":
            content = self.png
        elif kind == ".json":
            content = (json.dumps(self.spec, indent=2, ensure_ascii=False) + "\n").encode()
        elif kind in (".html", ".htm"):
            content = self._page().encode()
        else:
            raise OptionError(
                f"`path` is `{os.fspath(path)}`: a chart is saved as .svg, .png, .json or .html"
            )
        write(path, content)

    def to_altair(self) -> Any:
        """The chart as one of Altair's, to change and to combine.

        Returns
        -------
        altair.Chart

        Raises
        ------
        OptionError
            Altair is not installed.
        """
        try:
            import altair
        except ImportError as error:
            raise OptionError(
                "altair is not installed: `pip install altair`; `.svg`, `.png` and `.save` do without"
            ) from error
        # Its schema knows no missing background, which Vega-Lite has for a transparent one.
        spec = {key: value for key, value in self.spec.items() if value is not None}
        return altair.Chart.from_dict(spec)

    def __repr__(self) -> str:
        return f"Chart {self.name}: {self.title}"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        bundle: dict[str, Any] = {}
        if self._svg is not None and is_still(self._svg):
            # The picture is transparent, its words are dark; the page may be dark too.
            bundle["image/svg+xml"] = self._svg.replace("<svg", '<svg style="background:white"', 1)
        elif self._png is not None:
            bundle["image/png"] = b64encode(self._png).decode()
        bundle["text/plain"] = repr(self)
        if include is not None and VEGA_LITE in include:
            bundle[VEGA_LITE] = self.spec
        return chosen(bundle, include, exclude)

    def _page(self) -> str:
        svg = self.svg
        if not is_still(svg):
            raise RunError(f"the picture of `{self.name}` is not as this package draws it")
        return _PAGE.format(policy=_POLICY, title=html.escape(self.title), svg=svg)

    def _undrawn(self) -> RunError:
        return RunError(
            f"the chart `{self.name}` was not drawn here: `.spec` and `.to_altair()` have it, and "
            "`hypothesaes report RUN` draws anew"
        )


class Plots:
    """The charts of a run, each by a method of its name; `names` says which there are."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    @property
    def names(self) -> list[str]:
        """Names of the charts that the run has."""
        found = Path(self._folder, "plots").glob("*.json")
        return sorted(path.stem for path in found if path.stem.isidentifier())

    def forest(self) -> Chart:
        """Every hypothesis with its effect and interval, the strongest first."""
        return self._chart("forest")

    def prevalence(self) -> Chart:
        """In how many texts each concept is, and the target with and without it."""
        return self._chart("prevalence")

    def fidelity(self) -> Chart:
        """How well each wording matches its neuron."""
        return self._chart("fidelity")

    def shrinkage(self) -> Chart:
        """Effects in the texts that they were found in, beside those in the held-out texts."""
        return self._chart("shrinkage")

    def overlap(self) -> Chart:
        """How far two hypotheses are true of the same texts."""
        return self._chart("overlap")

    def predictors(self) -> Chart:
        """How well hypotheses, neurons and embeddings predict the target."""
        return self._chart("predictors")

    def training(self) -> Chart:
        """The autoencoders' errors by epoch."""
        return self._chart("training")

    def densities(self) -> Chart:
        """How often the neurons fire."""
        return self._chart("densities")

    def map(self) -> Chart:
        """The texts in the plane, by what they are like."""
        return self._chart("map")

    def calibration(self) -> Chart:
        """Predicted shares or means beside those that came."""
        return self._chart("calibration")

    def roc(self) -> Chart:
        """True against false positives of the predictions."""
        return self._chart("roc")

    def placebo(self) -> Chart:
        """What holds on shuffled targets, where there is nothing."""
        return self._chart("placebo")

    def activation(self, hypothesis_id: str) -> Chart:
        """How strongly held-out texts fire the neuron of a hypothesis, such as "H01", and what was
        annotated of them."""
        return self._chart(f"{hypothesis_id}_activation")

    def subgroups(self, hypothesis_id: str) -> Chart:
        """The effect of a hypothesis among all held-out texts, among short and long ones, and within
        strata and categories."""
        return self._chart(f"{hypothesis_id}_subgroups")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self.names:
            raise AttributeError(self._lacks(name))
        return lambda: self._chart(name)

    def __dir__(self) -> list[str]:
        named = {name for name, value in vars(Plots).items() if callable(value) and name[0] != "_"}
        named -= {"activation", "subgroups"}
        return sorted((set(super().__dir__()) - named) | set(self.names))

    def __iter__(self) -> Iterator[Chart]:
        return map(self._chart, self.names)

    def __len__(self) -> int:
        return len(self.names)

    def __repr__(self) -> str:
        return f"Plots of {self._folder}: {', '.join(self.names) or 'none yet'}"

    def _chart(self, name: str) -> Chart:
        place = Path(self._folder, "plots")
        if not name.isidentifier():
            raise RunError(self._lacks(name))
        try:
            spec = json.loads((place / f"{name}.json").read_text(encoding="utf-8"))
            svg, png = read(place / f"{name}.svg"), read(place / f"{name}.png")
        except FileNotFoundError:
            raise RunError(self._lacks(name)) from None
        except (OSError, ValueError) as error:
            raise FileError(
                f"`{place / name}.json` cannot be read: {error}; `hypothesaes report "
                f"{self._folder}` draws anew"
            ) from error
        return Chart(name, spec, None if svg is None else svg.decode(errors="replace"), png)

    def _lacks(self, name: str) -> str:
        there = ", ".join(self.names)
        if not there:
            return (
                f"run directory `{self._folder}` has no charts yet: they are drawn with the report; "
                "`plan` shows what is left, `plan.run()` does it"
            )
        return f"run directory `{self._folder}` has no chart `{name}`; there are: {there}"


def picture(folder: str, name: str) -> str:
    """A chart as an image for a page; empty where there is none.

    As an image, no script in it would run.
    """
    try:
        chart = Plots(folder)._chart(name)
        data = b64encode(chart.svg.encode()).decode()
    except (RunError, FileError):
        return ""
    alt = html.escape(chart.title)
    style = "max-width:100%;background:white"
    return f'<p><img alt="{alt}" style="{style}" src="data:image/svg+xml;base64,{data}" /></p>'


def is_still(svg: str) -> bool:
    """Whether there is nothing in it but shapes and words: it runs nothing, and fetches nothing."""
    if "<!" in svg or "<?" in svg:
        return False
    try:
        root = ElementTree.fromstring(svg)
    except ElementTree.ParseError:
        return False
    return all(_is_shape(element) for element in root.iter())


def _is_shape(element: ElementTree.Element) -> bool:
    if not (element.tag.startswith(_SVG) and element.tag[len(_SVG) :] in _TAGS):
        return False
    for name, value in element.attrib.items():
        if name.rpartition("}")[2].lower().startswith(("on", "href", "style")):
            return False
        # Gradients and clips of its own.
        if re.search(r"url\(\s*[\"']?(?!#)", value, re.IGNORECASE) and name != "aria-label":
            return False
    return True


def chosen(bundle: dict[str, Any], include: Any, exclude: Any) -> dict[str, Any]:
    """What of a bundle is asked for."""
    left_out = set(exclude or ())
    wanted = set(bundle if include is None else include)
    return {kind: data for kind, data in bundle.items() if kind in wanted - left_out}


def read(path: Path) -> bytes | None:
    """A file, if it is there."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def write(path: str | os.PathLike[str], content: bytes) -> None:
    """Writes a file, whole or not at all."""
    place = Path(path).expanduser()
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=place.parent, delete=False) as file:
            file.write(content)
        try:
            # Temporary files are private to their owner; a result has the rights of any new file.
            os.chmod(file.name, 0o644)
            os.replace(file.name, place)
        except OSError:
            os.unlink(file.name)
            raise
    except OSError as error:
        raise FileError(f"cannot write `{place}`: {error.strerror or error}") from error
