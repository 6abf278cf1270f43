"""A run from end to end by `discover`, and everything that a run offers."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
import urllib.request
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import planted
import pytest
from conftest import ROOT

import hypothesaes
from hypothesaes.errors import MissingFileError, OptionError, RunError

pandas = pytest.importorskip("pandas")

STAGES = ["data", "embed", "signal", "sae", "select", "interpret", "annotate", "evaluate", "report"]


def discover(data: Any, **arguments: Any) -> hypothesaes.Run:
    settings = {"local": True, "progress": False, "n_hypotheses": 10, "target": "stars"}
    return hypothesaes.discover(data, **{**settings, **arguments})


@pytest.fixture(scope="module")
def frame() -> Any:
    return pandas.DataFrame(planted.reviews())


@pytest.fixture(scope="module")
def made(frame: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run directory that tests copy and do not change."""
    folder = tmp_path_factory.mktemp("made") / "run"
    discover(frame, out=folder)
    return folder


@pytest.fixture
def run(made: Path, tmp_path: Path) -> hypothesaes.Run:
    return hypothesaes.load(shutil.copytree(made, tmp_path / "copy"))


def test_what_was_planted_is_found(run: hypothesaes.Run) -> None:
    table = run.hypotheses
    assert isinstance(table, pandas.DataFrame)
    held = table[table.status == "holds"]
    wide = run.annotations.pivot(index="row_id", columns="hypothesis_id", values="value")
    text = run.rows.set_index("row_id").text[wide.index]
    for concept, gain in planted.CONCEPTS.items():
        there = text.str.contains(concept).astype(int)
        found = held[np.sign(held.separation) == np.sign(gain)].hypothesis_id
        phi = wide[found].astype(int).corrwith(there).max()
        assert phi > 0.7, f"{concept}: {phi} among {held.hypothesis.tolist()}"
    # The same numbers in all places.
    single = run.effects[run.effects.model == "single"].set_index("hypothesis_id").estimate
    assert single.to_dict() == table.set_index("hypothesis_id").separation.to_dict()
    assert run.models.n_hold.eq(len(held)).all()
    assert len(run.annotations) == len(table) * (run.rows.split == "heldout").sum()
    assert set(run.neurons.selection_rank.dropna()) == set(range(1, len(table) + 1))
    assert len(run.cost) == 0 and "dollars" in run.cost
    for name in ("overlap", "activations", "neuron_health", "fidelity", "saes", "training"):
        frame = getattr(run, name)
        meant = run.dictionary[run.dictionary.table == name].column
        assert list(frame.columns) == list(meant), name


def test_the_same_call_reuses_and_another_does_what_follows(
    frame: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    first = discover(frame)
    assert first.stages.stage.tolist() == STAGES and not first.stages.reused.any()
    same = discover(frame.assign(unused=1))
    assert same.folder == first.folder and same.stages.reused.all()
    pandas.testing.assert_frame_equal(same.hypotheses, first.hypotheses)
    less = discover(frame, n_hypotheses=4)
    assert less.folder == first.folder and len(less.hypotheses) <= 4
    reused = less.stages.set_index("stage").reused
    assert reused[:"sae"].all() and not reused["select":].any()
    assert "select.n" in less.stages.set_index("stage").again_because["select"]
    # A run never shows the results of another as its own.
    with pytest.raises(RunError, match="made anew"):
        first.hypotheses
    other = discover(frame.iloc[::-1])
    assert other.folder != first.folder


def test_a_call_does_not_inherit_the_options_of_an_earlier_one(frame: Any, tmp_path: Path) -> None:
    strange = discover(frame, out=tmp_path / "run", options={"evaluate.conf_level": 0.5})
    assert set(strange.effects.conf_level) == {0.5}
    plain = discover(frame, out=tmp_path / "run")
    assert set(plain.effects.conf_level) == {0.95}


def test_a_run_is_read_again_wherever_it_lies(
    run: hypothesaes.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = shutil.move(run.folder, tmp_path / "elsewhere")
    monkeypatch.chdir(tmp_path)
    again = hypothesaes.load("elsewhere")
    assert Path(moved).exists() and again.stages.stage.tolist() == STAGES
    assert again.stages.reused.isna().all()
    assert again.plan.dollars == 0 and again.plan.stages.reused.all()
    assert "hold on" in repr(again)
    with pytest.raises(MissingFileError, match="no folder `nowhere`"):
        hypothesaes.load("nowhere")
    with pytest.raises(RunError, match="no run directory"):
        hypothesaes.load(tmp_path)


def test_a_run_of_the_command_line_is_read(tmp_path: Path) -> None:
    name = os.environ.get("HYPOTHESAES_PROGRAM", str(ROOT / "target/release/hypothesaes"))
    program = shutil.which(name)
    if program is None:
        pytest.skip("HYPOTHESAES_PROGRAM names no program that is there")
    subprocess.run([program, "demo", "--quiet"], cwd=tmp_path, check=True, capture_output=True)
    run = hypothesaes.load(tmp_path / "runs/demo-1")
    shown = (tmp_path / "runs/demo-1/summary.md").read_text(encoding="utf-8").splitlines()[2]
    n_hold = int((run.hypotheses.status == "holds").sum())
    assert f"{n_hold} of {len(run.hypotheses)} hypotheses" in shown
    assert f"{n_hold} of {len(run.hypotheses)} hypotheses" in repr(run)
    assert run.test(['mentions "wait"']).separation[0] < 0


def test_examples_show_texts_of_each_kind(run: hypothesaes.Run) -> None:
    table = run.hypotheses
    row = table[table.hypothesis.str.contains('"wait')].iloc[0]
    top = run.examples(row.hypothesis_id, n=7)
    assert len(top) == 7 and top.activation.is_monotonic_decreasing
    neuron = run.activations[run.activations.neuron_id == row.neuron_id]
    assert top.activation[0] == neuron.activation.max()
    told = run.annotations[run.annotations.hypothesis_id == row.hypothesis_id]
    kinds: list[tuple[Any, int]] = [("present", 1), ("absent", 0)]
    for kind, value in kinds:
        shown = run.examples(row.hypothesis_id.lower(), kind, 5)
        assert len(shown) == 5 and set(shown.annotation) == {value}
        assert set(shown.split) == {"heldout"}
        assert (told.set_index("row_id").value[shown.row_id].astype(int) == value).all()
        assert ("wait" in shown.text[0]) == bool(value)
    assert len(run.examples(row.hypothesis_id, "missing")) == 0
    drawn = [run.examples(row.hypothesis_id, "random", 20, seed=seed) for seed in (0, 0, 1)]
    assert drawn[0].equals(drawn[1]) and not drawn[0].equals(drawn[2])
    with pytest.raises(OptionError, match="top, present, absent, missing, random"):
        run.examples(row.hypothesis_id, "typical")  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="there are H01"):
        run.examples("H99")


def test_own_hypotheses_are_tested_exploratory_and_counted(run: hypothesaes.Run) -> None:
    assert len(run.own) == 0
    mine = run.test(['mentions "parked"', 'mentions "slow"'])
    assert list(mine.columns) == [*run.hypotheses.columns, "source", "is_exploratory"]
    assert mine.is_exploratory.all() and set(mine.source) == {"user"}
    rows = run.rows[run.rows.split == "heldout"]
    has = rows.text.str.contains("parked")
    exact = rows.target[has].mean() - rows.target[~has].mean()
    assert math.isclose(mine.separation[0], exact) and mine.n_present[0] == has.sum()
    assert mine.status[0] == "does_not_hold" and mine.warning.str.contains("exploratory").all()
    # Of the run's own hypotheses, only the adjustment has changed.
    both = run.own
    theirs = both[~both.is_exploratory.astype(bool)].reset_index(drop=True)
    fixed = ["hypothesis_id", "hypothesis", "separation", "separation_p_value", "sae_id"]
    pandas.testing.assert_frame_equal(theirs[fixed], run.hypotheses[fixed])
    assert_adjusted(both)
    assert (theirs.separation_p_holm >= run.hypotheses.separation_p_holm).all()


def assert_adjusted(table: Any) -> None:
    """p-values are adjusted over all rows that have one."""
    m = table.separation_p_value.notna().sum()
    expected = np.minimum(1, table.separation_p_value * m)
    np.testing.assert_allclose(table.separation_p_bonferroni, expected)


def test_another_process_counts_what_was_tested(run: hypothesaes.Run) -> None:
    run.test(['mentions "parked"'])
    code = f"import hypothesaes; hypothesaes.load({run.folder!r}).test(['mentions \"window\"'])"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    third = run.test(['mentions "clock"', 'mentions "parked"'])
    assert third.hypothesis_id.tolist() == [f"H{len(run.hypotheses) + k:02}" for k in (3, 1)]
    own = run.own
    assert len(own) == len(run.hypotheses) + 3
    assert_adjusted(own)
    assert f"adjusted over {len(own)} hypotheses" in third.warning[0]
    shown = run.summary()
    assert "Your own, exploratory" in str(shown) and "looked at before" in shown.as_latex()
    top = run.examples(third.hypothesis_id[0], "present", 3)
    assert top.text.str.contains("clock").all()
    with pytest.raises(OptionError, match="there are present"):
        run.examples(third.hypothesis_id[0], "top")
    with pytest.raises(OptionError, match="read concepts such as"):
        run.test(["is about clocks"])
    with pytest.raises(OptionError, match="entry 1"):
        run.test(['mentions "clock"', " "])
    record = Path(run.folder, "own_hypotheses.jsonl")
    assert len(own) == len(run.own), "what could not be annotated was not tested"
    record.write_text(record.read_text(encoding="utf-8") + '{"rows"', encoding="utf-8")
    with pytest.raises(RunError, match=r"own_hypotheses.jsonl`, line \d+: is damaged"):
        run.test(['mentions "green"'])


def test_new_texts_are_annotated_as_the_run_was(run: hypothesaes.Run) -> None:
    rows = run.rows[run.rows.split == "heldout"].sample(frac=1, random_state=0)
    wide = run.annotations.pivot(index="row_id", columns="hypothesis_id", values="value")
    got = run.annotate(rows.set_index("row_id"))
    names = [name.lower() for name in run.hypotheses.hypothesis_id]
    assert list(got.columns) == ["split", "group", "target", "text", *names]
    assert got.index.tolist() == rows.row_id.tolist() and got.text.tolist() == rows.text.tolist()
    assert got.h01.dtype == "int64"
    expected = wide.loc[got.index].astype(int)
    assert (got[names].to_numpy() == expected.to_numpy()).all()
    two = run.annotate(
        pandas.DataFrame({"note": ["a slow wait", None, " "], "n": [1, 2, 3]}, index=[7, 5, 6]),
        "note",
        hypotheses=["H02", "h01"],
    )
    assert list(two.columns) == ["note", "n", "h02", "h01"] and list(two.index) == [7, 5, 6]
    assert two.h02.isna().tolist() == [False, True, True]
    assert run.annotate(["a slow wait"], hypotheses="H01").columns.tolist() == ["text", "h01"]
    with pytest.raises(hypothesaes.DataError, match="`h01` already"):
        run.annotate(got)
    with pytest.raises(hypothesaes.ColumnError, match="there are `note`"):
        run.annotate({"note": ["a"]})


class Tags(HTMLParser):
    """The tags of a page, which must be closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.open: list[str] = []
        self.feed(page)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.seen.add(tag)
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_summary_escapes_whatever_it_shows(frame: Any, tmp_path: Path) -> None:
    target = "st<b>ars & 5%_{x}$ | \x1b[31m`"
    run = discover(frame.rename(columns={"stars": target}), target=target, out=tmp_path / "run")
    run.test(['mentions "<script>alert(1)</script>" or "50% of_the #1 \\\\ | ~"'])
    summary = run.summary()
    for page in (summary.as_html(), summary._repr_html_(), run._repr_html_()):
        tags = Tags(page).seen
        known = "div p strong ul li table caption thead tbody tr th td img"
        assert tags <= set(known.split()), tags
    for shown in (str(summary), repr(run), summary.as_markdown(), summary.as_latex()):
        assert "\x1b" not in shown and "ars" in shown
    body = summary._repr_latex_()
    assert r"\toprule" in body and r"\bottomrule" in body
    assert r"50\% of\_the \#1" in body and r"\textless{}script\textgreater{}" in body
    assert r"st\textless{}b\textgreater{}ars \& 5\%\_\{x\}\$ \textbar{}" in body
    rows = [line for line in body.splitlines() if line.startswith("  H")]
    assert len(rows) == len(run.hypotheses) + 1
    assert all(line.replace(r"\&", "").count("&") == 7 for line in rows)
    cells = [line for line in summary.as_markdown().splitlines() if line.startswith("| H")]
    assert all(line.replace(r"\|", "").count("|") == 9 for line in cells)


def test_numbers_of_the_summary_are_those_of_the_tables(run: hypothesaes.Run) -> None:
    text = run.summary().as_text()
    table = run.hypotheses
    assert max(map(len, text.splitlines())) <= 140
    for row in table.itertuples():
        line = next(line for line in text.splitlines() if line.startswith(row.hypothesis_id))
        shown = f"{row.separation:+.2f} [{row.separation_conf_low:+.2f}"
        assert shown in line and f"{100 * row.prevalence:.0f} %" in line
        tiny = row.separation_p_holm < 0.001
        assert ("< 0.001" if tiny else f"{row.separation_p_holm:.3f}") in line
    fits = run.models[run.models.fit == "cross_fitted"].set_index("predictors")
    told = {"hypotheses": "R2"} | {n: f"R2 of the {n}" for n in ("neurons", "embeddings")}
    assert set(fits.index) == set(told)
    for predictors, name in told.items():
        fit = fits.loc[predictors]
        begins = f"{name}, cross-fitted:"
        line = next(line for line in text.splitlines() if line.startswith(begins))
        assert line.endswith(f" {fit.estimate:.2f} [{fit.conf_low:.2f}, {fit.conf_high:.2f}]")


def test_files_for_papers_and_spreadsheets(run: hypothesaes.Run, tmp_path: Path) -> None:
    assert run.to_latex() == run.to_latex(tmp_path / "t.tex")
    assert (tmp_path / "t.tex").read_text(encoding="utf-8") == run.summary().as_latex()
    run.to_markdown(tmp_path / "t.md")
    assert "| H01 |" in (tmp_path / "t.md").read_text(encoding="utf-8")
    run.to_csv(tmp_path / "csv")
    read = pandas.read_csv(tmp_path / "csv/hypotheses.csv")
    np.testing.assert_allclose(read.separation, run.hypotheses.separation)
    assert {path.stem for path in (tmp_path / "csv").iterdir()} >= {"neurons", "dictionary"}
    run.to_csv(tmp_path / "one", ["models"], excel=True)
    assert (tmp_path / "one/models.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert os.listdir(tmp_path / "one") == ["models.csv"]
    text = run.to_latex(table="hypotheses")
    assert r"\toprule" in text and r"\label{tab:hypotheses}" in text and "H01" in text
    assert run.to_markdown(tmp_path / "m.md", table="models").startswith("**What predicts")
    with pytest.raises(OptionError, match="did you mean `models`"):
        run.to_markdown(table="model")


def test_a_workbook_has_the_numbers_of_the_tables(run: hypothesaes.Run, tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    run.to_excel(tmp_path / "new" / "t.xlsx")
    book = openpyxl.load_workbook(tmp_path / "new" / "t.xlsx")
    assert book.sheetnames[:3] == ["hypotheses", "effects", "models"]
    assert book.sheetnames[-1] == "dictionary"
    sheet = book["hypotheses"]
    head, *rows = sheet.iter_rows(values_only=True)
    assert list(head) == list(run.hypotheses.columns)
    assert sheet.freeze_panes == "A2" and sheet["A1"].font.b
    at = head.index("separation")
    np.testing.assert_allclose([row[at] for row in rows], run.hypotheses.separation)
    run.to_excel(tmp_path / "rows", ["rows"])
    assert openpyxl.load_workbook(open(tmp_path / "rows", "rb")).sheetnames == [
        "rows",
        "dictionary",
    ]


def test_two_classes_are_named(frame: Any, tmp_path: Path) -> None:
    run = discover(frame, target="mood", out=tmp_path / "a")
    assert set(run.hypotheses.direction.dropna()) <= {"good", "bad"}
    assert "log-odds of `good`" in str(run.summary())
    other = discover(frame, target="mood", out=tmp_path / "b", options={"data.positive": "bad"})
    assert "log-odds of `bad`" in str(other.summary())
    rows = run.rows.merge(other.rows, on="row_id")
    assert (rows.target_x == 1 - rows.target_y).all()
    mine = run.test(['mentions "slow"'])
    heldout = run.rows[run.rows.split == "heldout"]
    has = heldout.text.str.contains("slow")
    shares = heldout.target[has].mean() - heldout.target[~has].mean()
    assert math.isclose(mine.separation[0], shares) and mine.direction[0] == "bad"


def test_costs_are_shown_before_anything_is_asked(
    frame: Any,
    tmp_path: Path,
    simulated: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    service = simulated()
    settings = {"local": False, "n_hypotheses": 3, "out": tmp_path / "run"}
    made = hypothesaes.plan(frame, target="stars", n_hypotheses=3, out=tmp_path / "run")
    assert set(made.table.stage) >= {"embed", "interpret", "annotate"}
    assert made.dollars and made.dollars == pytest.approx(made.table.dollars.sum())
    assert f"${made.dollars:.2f}" in repr(made) and "<table>" in made._repr_html_()
    assert not (tmp_path / "run").exists()
    with pytest.raises(OptionError, match='confirm="never"'):
        discover(frame, **settings)
    waiting = discover(frame, **settings, confirm="plan")
    assert "Not finished" in repr(waiting) and waiting.plan.dollars == pytest.approx(made.dollars)
    with pytest.raises(RunError, match="plan.run"):
        waiting.hypotheses
    assert len(waiting.rows) == len(frame) and service.requests() == 0

    said = iter(["", "y"])
    monkeypatch.setattr("hypothesaes._plan._somebody", lambda: True)
    monkeypatch.setattr("builtins.input", lambda question: print(question) or next(said))
    refused = discover(frame, **settings)
    assert "Not finished" in repr(refused) and service.requests() == 0
    assert f"Spend up to ${made.dollars:.2f}? [y/N]" in capsys.readouterr().out
    done = waiting.plan.run()
    assert len(done.hypotheses) and service.requests() > 0
    assert set(done.cost.stage) >= {"embed", "interpret", "annotate"}
    # Some requests only find out what the server understands.
    assert done.cost.calls.sum() == service.stats()["ok"] and done.cost.dollars.sum() > 0
    before = service.requests()
    assert discover(frame, **settings).stages.reused.all()
    shutil.rmtree(tmp_path / "run")
    again = discover(frame, **settings, frozen=True)
    assert service.requests() == before, "kept answers are not asked for again"
    pandas.testing.assert_frame_equal(again.hypotheses, done.hypotheses)

    own = again.test(["mentions parked cars"], progress=False)
    assert own.n_missing[0] == 0 and service.requests() > before
    before = service.requests()
    again.test(["mentions parked cars"], progress=False)
    assert service.requests() == before
    monkeypatch.setattr("hypothesaes._plan._somebody", lambda: False)
    with pytest.raises(OptionError, match="nobody to say yes"):
        again.test(["mentions a window"], progress=False)
    with pytest.raises(OptionError, match="nobody to say yes"):
        again.annotate(["a new text"], progress=False)
    assert service.requests() == before
    again.annotate(["a new text"], confirm="never", progress=False)
    assert service.requests() > before


def test_missing_answers_are_said_shown_and_asked_for_again(
    frame: Any, tmp_path: Path, simulated: Any
) -> None:
    service = simulated("--p-poison", "0.1", "--poison-kind", "unparsable")
    models = {
        "annotator": "gpt-5-mini",
        "interpreter": "phrases",
        "embedder": "tfidf-svd",
        "options": {"annotate.layout": "single"},
        "confirm": "never",
        "local": False,
    }
    with pytest.warns(UserWarning, match="annotations are missing"):
        run = discover(frame, out=tmp_path / "run", **models)
    n_missing = int(run.hypotheses.n_missing.sum())
    assert n_missing > 0 and run.annotations.value.isna().sum() == n_missing
    first = run.hypotheses[run.hypotheses.n_missing > 0].hypothesis_id.iloc[0]
    assert run.examples(first, "missing").annotation.isna().all()
    mine = run.test(["mentions the music"], progress=False)
    assert mine.n[0] + mine.n_missing[0] == (run.rows.split == "heldout").sum()
    change = json.dumps({"p_poison": 0}).encode()
    urllib.request.urlopen(f"{service.root}/sim/config", change).close()
    whole = discover(frame, out=tmp_path / "run", **models)
    assert whole.hypotheses.n_missing.sum() == 0
    assert whole.stages.again_because.dropna().str.contains("answers were missing").any()


def test_real_reviews_from_end_to_end(reviews: Any, tmp_path: Path) -> None:
    texts, stars = reviews
    run = discover({"text": texts, "stars": stars}, out=tmp_path / "run", split="50/10/40")
    fit = run.models.set_index(["predictors", "fit"]).loc[("hypotheses", "cross_fitted")]
    assert fit.metric == "r_squared" and fit.conf_low > 0.1
    rows = run.rows.set_index("row_id")
    assert rows.text.tolist() == [texts[i] for i in rows.index]
    for row in run.hypotheses.itertuples():
        told = run.annotations[run.annotations.hypothesis_id == row.hypothesis_id]
        target, value = rows.target[told.row_id].to_numpy(), told.value.to_numpy(bool)
        assert math.isclose(row.separation, target[value].mean() - target[~value].mean())
