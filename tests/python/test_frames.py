"""Data of every kind go in, and come out as the same kind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import planted
import pytest

import hypothesaes
from hypothesaes import _frames

COLUMNS = planted.reviews(400)
SETTINGS: dict[str, Any] = {
    "target": "stars",
    "group": "shop",
    "local": True,
    "progress": False,
    "n_hypotheses": 4,
    "options": {"sae.max_epochs": 40},
}


def pandas_frame() -> Any:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(COLUMNS, index=range(1000, 1400))
    frame["shop"] = frame["shop"].astype("category")
    frame["stars"] = frame["stars"].astype("Int64")
    # Columns that are not named need not be fit for a file.
    return frame.assign(others=[object()] * len(frame))


def polars_frame() -> Any:
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame(COLUMNS).with_columns(polars.col("shop").cast(polars.Categorical))
    return frame.with_columns(polars.Series("others", [[1, 2]] * len(frame)))


def lazy_frame() -> Any:
    return polars_frame().lazy()


def arrow_table() -> Any:
    return pytest.importorskip("pyarrow").table(COLUMNS)


def arrow_reader() -> Any:
    return arrow_table().to_reader(max_chunksize=37)


def duckdb_relation() -> Any:
    duckdb = pytest.importorskip("duckdb")
    return duckdb.from_arrow(arrow_table())


def mapping() -> Any:
    import numpy

    return {**COLUMNS, "stars": numpy.array(COLUMNS["stars"], "float32")}


KINDS = [
    (pandas_frame, "pandas"),
    (polars_frame, "polars"),
    (lazy_frame, "polars"),
    (arrow_table, None),
    (arrow_reader, None),
    (duckdb_relation, None),
    (mapping, None),
]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The hypotheses in plain columns."""
    out = tmp_path_factory.mktemp("plain") / "run"
    run = hypothesaes.discover(dict(COLUMNS), out=out, **SETTINGS)
    return _frames.column(run.hypotheses, "hypothesis")


@pytest.mark.parametrize(("make", "kind"), KINDS, ids=[make.__name__ for make, _ in KINDS])
def test_every_kind_gives_the_same_run_in_its_own_kind(
    make: Any, kind: str | None, plain: list[str], tmp_path: Path
) -> None:
    run = hypothesaes.discover(make(), out=tmp_path / "run", **SETTINGS)
    for table in (run.hypotheses, run.rows, run.models, run.cost, run.stages, run.plan.table):
        assert _frames.kind(table) == _frames.kind(kind)
    rows = run.rows
    assert _frames.column(rows, "text") == COLUMNS["text"]
    assert _frames.column(rows, "target") == COLUMNS["stars"]
    # What belongs together is on one side.
    parts: dict[str, set[str]] = {}
    for shop, part in zip(COLUMNS["shop"], _frames.column(rows, "split")):
        parts.setdefault(shop, set()).add(part)
    assert all(len(part) == 1 for part in parts.values())
    again = hypothesaes.discover(make(), out=tmp_path / "run", **SETTINGS)
    assert all(_frames.column(again.stages, "reused"))
    assert _frames.column(run.hypotheses, "hypothesis") == plain


def test_polars_go_through_all_that_a_run_offers(tmp_path: Path) -> None:
    polars = pytest.importorskip("polars")
    frame = polars_frame()
    run = hypothesaes.discover(frame, out=tmp_path / "run", **SETTINGS)
    for table in (run.test(['mentions "slow"']), run.own, run.examples("H01"), run.effects):
        assert isinstance(table, polars.DataFrame) and len(table)
    got = run.annotate(frame, hypotheses=["H01"])
    assert got.columns == [*frame.columns, "h01"] and got["h01"].dtype == polars.Int8
    assert got.drop("h01").equals(frame)
    heldout = run.annotations.filter(polars.col("hypothesis_id") == "H01")
    same = got["h01"].gather(heldout["row_id"])
    assert (same == heldout["value"].cast(polars.Int8)).all()
    gone = polars.DataFrame({"text": ["a slow wait", None]})
    assert run.annotate(gone)["h01"].is_null().to_list() == [False, True]


def test_a_file_is_read_where_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pandas = pytest.importorskip("pandas")
    monkeypatch.chdir(tmp_path)
    pandas.DataFrame(COLUMNS).to_csv("reviews.csv", index=False)
    run = hypothesaes.discover(Path("reviews.csv"), **SETTINGS)
    assert run.folder.endswith("reviews-1") and not Path("runs/inputs").exists()
    assert isinstance(run.hypotheses, pandas.DataFrame)
    table = hypothesaes.load(run.folder, frames="table").hypotheses
    assert table.column("hypothesis") == run.hypotheses.hypothesis.tolist()
    polars = pytest.importorskip("polars")
    assert polars.DataFrame(table).columns == table.names
    with pytest.raises(hypothesaes.OptionError, match="pandas, polars or table"):
        hypothesaes.load(run.folder, frames="arrow")


def test_targets_of_every_kind_are_read_alike(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    high = [stars > 3 for stars in COLUMNS["stars"]]
    text = COLUMNS["text"]
    kinds: dict[str, list[Any]] = {
        "flags": high,
        "signs": [1 if v else -1 for v in high],
        "figures": ["1" if v else "0" for v in high],
        "words": ["yes" if v else "no" for v in high],
        "gaps": [None if i % 50 == 0 else float(v) for i, v in enumerate(high)],
    }
    for name, target in kinds.items():
        frame = pandas.DataFrame({"text": text, "y": target})
        settings = {**SETTINGS, "target": "y", "group": None, "n_hypotheses": 2}
        run = hypothesaes.discover(frame, out=tmp_path / name, **settings)
        there = [i for i, value in enumerate(target) if value is not None]
        assert run.rows.row_id.tolist() == there
        assert run.rows.target.astype(bool).tolist() == [high[i] for i in there]


def test_pandas_needs_no_pyarrow(tmp_path: Path) -> None:
    pytest.importorskip("pandas")
    code = f"""
import sys
sys.modules["pyarrow"] = None
sys.path.insert(0, {str(Path(__file__).parent)!r})
import pandas, planted, hypothesaes
frame = pandas.DataFrame(planted.reviews(400))
frame.columns = [0, 1, 2, 3]
run = hypothesaes.discover(frame, 0, 1, local=True, progress=False, out={str(tmp_path / "r")!r})
assert isinstance(run.hypotheses, pandas.DataFrame)
assert len(run.annotate(frame, 0)) == 400
"""
    subprocess.run([sys.executable, "-c", code], check=True)
