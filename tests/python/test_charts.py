"""Charts and report of a run: in notebooks, in files, as Altair's."""

from __future__ import annotations

import builtins
import json
import os
import shutil
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import planted
import pytest

import hypothesaes
from hypothesaes._charts import VEGA_LITE, Chart, is_still
from hypothesaes.errors import FileError, OptionError, RunError

SVG = '<svg xmlns="http://www.w3.org/2000/svg">{}</svg>'


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run directory that tests copy and do not change."""
    folder = tmp_path_factory.mktemp("made") / "run"
    hypothesaes.discover(
        planted.reviews(), target="stars", local=True, progress=False, n_hypotheses=5, out=folder
    )
    return folder


@pytest.fixture
def run(made: Path, tmp_path: Path) -> hypothesaes.Run:
    return hypothesaes.load(shutil.copytree(made, tmp_path / "copy"))


def test_every_chart_of_the_folder_is_there_by_its_name(run: hypothesaes.Run) -> None:
    names = {path.stem for path in Path(run.folder, "plots").glob("*.json")}
    assert {"forest", "prevalence", "fidelity"} <= names
    assert set(run.plot.names) == names == {chart.name for chart in run.plot}
    assert {name for name in dir(run.plot) if name[0] != "_"} == names | {
        "names",
        "activation",
        "subgroups",
    }
    assert len(run.plot) == len(names) and "forest" in repr(run.plot)
    for name in names:
        chart = getattr(run.plot, name)()
        assert chart.spec["$schema"].endswith("vega-lite/v6.json") and chart.title
        assert is_still(chart.svg), name
        assert chart.png.startswith(b"\x89PNG")
    # One of a later version.
    shutil.copyfile(f"{run.folder}/plots/forest.json", f"{run.folder}/plots/later.json")
    later = run.plot.later()
    with pytest.raises(RunError, match="was not drawn here"):
        later.svg
    assert list(later._repr_mimebundle_()) == ["text/plain"]


def test_a_chart_that_is_missing_is_named_beside_those_that_are_there(
    run: hypothesaes.Run,
) -> None:
    found = next(name for name in run.plot.names if name.endswith("_activation"))
    chart = run.plot.activation(found.removesuffix("_activation"))
    assert chart.name == found and chart.spec["mark"]["type"] == "bar"
    with pytest.raises(RunError, match="no chart `H99_subgroups`"):
        run.plot.subgroups("H99")
    with pytest.raises(RunError, match="no chart"):
        run.plot.subgroups("../tables/x")
    os.remove(f"{run.folder}/plots/overlap.json")
    with pytest.raises(RunError, match="no chart `overlap`; there are: .*forest"):
        run.plot.overlap()
    with pytest.raises(AttributeError, match="no chart `florist`; there are: .*forest"):
        run.plot.florist
    Path(run.folder, "plots/forest.json").write_text("{", encoding="utf-8")
    with pytest.raises(FileError, match="forest.*cannot be read"):
        run.plot.forest()
    assert run._repr_html_() == run.summary().as_html()
    shutil.rmtree(f"{run.folder}/plots")
    with pytest.raises(RunError, match="no charts yet"):
        run.plot.forest()


def test_notebooks_are_shown_the_still_picture_first(run: hypothesaes.Run) -> None:
    chart = run.plot.forest()
    bundle = chart._repr_mimebundle_()
    assert list(bundle) == ["image/svg+xml", "text/plain"]
    assert bundle["text/plain"] == repr(chart) == f"Chart forest: {chart.title}"
    asked = chart._repr_mimebundle_(include={VEGA_LITE, "text/plain"})
    assert set(asked) == {VEGA_LITE, "text/plain"} and asked[VEGA_LITE] == chart.spec
    assert list(chart._repr_mimebundle_(exclude={"image/svg+xml"})) == ["text/plain"]
    page = run._repr_mimebundle_()["text/html"]
    assert page.startswith('<p><img alt="') and "data:image/svg+xml;base64," in page
    assert list(run._repr_mimebundle_(include={"text/plain"})) == ["text/plain"]
    shutil.rmtree(f"{run.folder}/plots")
    assert run._repr_html_() == run.summary().as_html()


def test_pictures_of_others_are_not_shown(run: hypothesaes.Run) -> None:
    for body in (
        "<script>alert(1)</script>",
        '<g onload="alert(1)"/>',
        "<foreignObject/>",
        '<image href="http://u/x.png"/>',
        '<path fill="url(http://u/x)"/>',
        '<path style="fill:red"/>',
        "<style>*{}</style>",
        "<!-- -->",
        "<g>",
    ):
        assert not is_still(SVG.format(body)), body
    assert is_still(SVG.format('<path fill="url(#a)" aria-label="url(x) of it"/>'))
    chart = Chart("forest", {}, SVG.format("<script/>"), b"png")
    assert list(chart._repr_mimebundle_()) == ["image/png", "text/plain"]
    with pytest.raises(RunError, match="is not as this package draws it"):
        chart.save("x.html")
    # Wordings are words in the page.
    spec = json.loads(Path(run.folder, "plots/forest.json").read_text(encoding="utf-8"))
    spec["description"] = '"><script>\x1b'
    Path(run.folder, "plots/forest.json").write_text(json.dumps(spec), encoding="utf-8")
    assert "<script>" not in run._repr_html_() and "\x1b" not in repr(run.plot.forest())


def test_charts_are_saved_by_their_ending(run: hypothesaes.Run, tmp_path: Path) -> None:
    chart = run.plot.forest()
    for ending in ("svg", "png", "json"):
        path = tmp_path / "new" / f"x.{ending}"
        chart.save(path)
        there = Path(run.folder, "plots", f"forest.{ending}")
        if ending == "json":
            assert json.loads(path.read_bytes()) == json.loads(there.read_bytes())
        else:
            assert path.read_bytes() == there.read_bytes()
    chart.save(tmp_path / "x.HTML")
    page = (tmp_path / "x.HTML").read_text(encoding="utf-8")
    assert chart.svg in page and "default-src 'none'" in page and "<script" not in page
    with pytest.raises(OptionError, match="saved as .svg, .png, .json or .html"):
        chart.save(tmp_path / "x.pdf")
    (tmp_path / "file").touch()
    with pytest.raises(FileError, match="cannot write"):
        chart.save(tmp_path / "file" / "x.svg")
    chart.spec["width"] = 1
    assert chart.spec["width"] != 1


def test_altair_takes_every_chart(run: hypothesaes.Run) -> None:
    altair = pytest.importorskip("altair")
    for chart in run.plot:
        made = chart.to_altair()
        assert isinstance(made, altair.TopLevelMixin), chart.name
        assert made.to_dict()["description"] == chart.title


def test_without_altair_it_is_said_how_to_get_it(
    run: hypothesaes.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "altair":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(OptionError, match="pip install altair"):
        run.plot.forest().to_altair()


def snapshot(folder: str) -> dict[str, bytes]:
    paths = (path for path in Path(folder).rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def test_the_report_is_written_with_texts_and_without(run: hypothesaes.Run, tmp_path: Path) -> None:
    before = snapshot(run.folder)
    texts = [text for text in run.rows.text if text in before["report.html"].decode()]
    assert texts
    own = run.report()
    assert own == Path(run.folder, "report.html")
    assert run.report(tmp_path / "new" / "a.html").read_bytes() == before["report.html"]
    bare = run.report(str(tmp_path / "b.html"), texts=False)
    page = bare.read_text(encoding="utf-8")
    assert "H01" in page and not any(text in page for text in texts)
    ElementTree.fromstring(run.plot.forest().svg)
    # The run is as it was, and still read.
    assert snapshot(run.folder) == before and len(run.hypotheses) > 0
    beside = run.report(texts=False)
    assert beside.name == "report-no-texts.html" and beside.parent == Path(run.folder)
    assert beside.read_text(encoding="utf-8") == page


def test_what_is_not_finished_has_no_report(run: hypothesaes.Run) -> None:
    state = Path(run.folder, "state.json")
    told = json.loads(state.read_text(encoding="utf-8"))
    del told["stages"]["evaluate"], told["stages"]["report"]
    state.write_text(json.dumps(told), encoding="utf-8")
    with pytest.raises(RunError, match="nothing to report yet"):
        run.report()
    with pytest.raises(RunError, match="is not finished"):
        run.to_excel("x.xlsx")
