"""Pairs, classes, counts, levels, controls and the like, told to `discover` and read from a run."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import planted
import pytest

import hypothesaes
from hypothesaes import _folder, _input, _native, _request
from hypothesaes.errors import ColumnError, DataError, OptionError

pandas = pytest.importorskip("pandas")

SETTINGS: dict[str, Any] = {
    "local": True,
    "progress": False,
    "n_hypotheses": 6,
    "options": {"sae.max_epochs": 60, "evaluate.n_bootstrap": 50, "evaluate.n_placebo": 2},
}


def discover(data: Any, **arguments: Any) -> hypothesaes.Run:
    return hypothesaes.discover(data, **{**SETTINGS, **arguments})


def designed(n: int = 500) -> Any:
    """Reviews with whatever may stand beside them; `words` alone moves `stars` a little."""
    rng = random.Random(1)
    frame = pandas.DataFrame(planted.reviews(n))
    slow = frame.text.str.contains("wait was slow")
    frame["words"] = [rng.randrange(5, 50) for _ in range(n)]
    frame["stars"] = frame.stars + frame.words / 25
    frame["topic"] = pandas.Categorical(rng.choices(["food", "bar", "shop"], k=n))
    frame["night"] = [rng.random() < 0.5 for _ in range(n)]
    frame["weight"] = [rng.choice([0.5, 1, 2.5]) for _ in range(n)]
    frame["days"] = [rng.choice([1, 2, 4]) for _ in range(n)]
    rates = np.where(slow, 3.0, 1.0) * frame.days
    frame["complaints"] = np.random.default_rng(0).poisson(rates)
    sweet = frame.text.str.contains("dessert")
    frame["kind"] = np.where(slow, "slow", np.where(sweet, "sweet", "other"))
    frame["level"] = pandas.cut(frame.stars, [-9, 2.5, 4, 9], labels=["low", "middle", "high"])
    return frame


@pytest.fixture(scope="module")
def frame() -> Any:
    return designed()


def pairs(n: int = 500) -> Any:
    """Pairs whose target, 1 if the first won, follows from the concepts."""
    both = planted.reviews(2 * n)
    gain = [sum(g for c, g in planted.CONCEPTS.items() if c in text) for text in both["text"]]
    rng = random.Random(2)
    won = [int(gain[i] - gain[n + i] + rng.gauss(0, 0.5) > 0) for i in range(n)]
    return pandas.DataFrame({"one": both["text"][:n], "two": both["text"][n:], "won": won})


@pytest.fixture(scope="module")
def paired(tmp_path_factory: pytest.TempPathFactory) -> hypothesaes.Run:
    out = tmp_path_factory.mktemp("paired") / "run"
    return discover(pairs(), text="one", text_b="two", target="won", out=out)


def written(data: Any, folder: Path, **roles: Any) -> _native.Table:
    """The file that is made of a data frame."""
    asked = dict.fromkeys(_input.ROLES) | roles
    return _native.Table.read(_input.prepare(data, asked, str(folder)).path)


def test_named_columns_are_written_beside_the_texts(frame: Any, tmp_path: Path) -> None:
    holed = frame.assign(words=frame.words.where(frame.index != 3))
    table = written(
        holed,
        tmp_path,
        target="stars",
        group="shop",
        weight="weight",
        exposure="days",
        controls=["words", "topic", "night"],
        fixed_effects=["shop"],
        strata="kind",
    )
    order = ["text", "stars", "shop", "weight", "days", "words", "topic", "night", "kind"]
    assert table.names == order
    words = table.column("words")
    assert words[3] is None and words[:3] == frame.words[:3].tolist()
    assert table.column("night") == frame.night.tolist()
    for name in ("topic", "shop", "kind", "days", "weight"):
        assert table.column(name) == frame[name].tolist(), name


def test_numbers_stay_numbers_where_a_group_serves_twice(tmp_path: Path) -> None:
    data = {"text": ["a", "b", "c"], "y": [1, 2, 3], "year": [2019, 2020, None]}
    assert written(data, tmp_path, target="y", group="year").column("year") == [
        "2019",
        "2020",
        None,
    ]
    twice = written(data, tmp_path, target="y", group="year", fixed_effects="year", strata=None)
    assert twice.names == ["text", "y", "year"] and twice.column("year") == [2019, 2020, None]


def test_without_designs_the_file_is_what_it_was(tmp_path: Path) -> None:
    columns = planted.reviews(20)
    table = _native.Table.from_columns(
        ["text", "stars", "shop"], [columns["text"], columns["stars"], columns["shop"]]
    )
    table.write(str(tmp_path / "plain.parquet"))
    asked = dict.fromkeys(_input.ROLES) | {"target": "stars", "group": "shop"}
    made = _input.prepare(columns, asked, str(tmp_path))
    assert Path(made.path).read_bytes() == (tmp_path / "plain.parquet").read_bytes()


def test_every_kind_of_frame_gives_the_same_columns(frame: Any, tmp_path: Path) -> None:
    polars = pytest.importorskip("polars")
    plain = frame.astype({"topic": str, "level": str})
    other = polars.DataFrame({name: plain[name].tolist() for name in plain}).with_columns(
        polars.col("topic").cast(polars.Categorical)
    )
    roles = {"target": "stars", "controls": ["topic", "night", "words"], "weight": "weight"}
    ours, theirs = (written(data, tmp_path, **roles) for data in (frame, other))
    assert ours.names == theirs.names
    assert all(ours.column(name) == theirs.column(name) for name in ours.names)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"controls": ["wods"]}, ColumnError, "`controls` names the column `wods`.*`words`"),
        ({"strata": "knd"}, ColumnError, "`strata` names the column `knd`.*did you mean `kind`"),
        ({"text_b": "txt"}, ColumnError, "`text_b` names .*did you mean `text`"),
        ({"text_b": "text"}, OptionError, "`text` is named twice: as `text` and as `text_b`"),
        ({"controls": "stars"}, OptionError, "as `target` and as `controls`"),
        ({"task": "counts"}, OptionError, "`task` is `counts`: choose continuous, .* or ordinal"),
        ({"gold": {"H01": [1]}}, OptionError, "`gold` is a `dict`: give the path of a file"),
        ({"weight": "when"}, DataError, "column `when`, row 0 .*not a number"),
        (
            {"controls": ["words"], "options": {"data.controls": ["topic"]}},
            OptionError,
            "`data.controls` is given twice: as `controls` and in `options`",
        ),
        ({"hypotheses": ["a", " "]}, OptionError, "evaluate.hypotheses"),
    ],
)
def test_what_cannot_be_is_named(
    frame: Any, arguments: dict[str, Any], error: type[Exception], message: str, tmp_path: Path
) -> None:
    data = frame.assign(when=[pandas.Timestamp("2020-01-01")] * len(frame))
    with pytest.raises(error, match=message):
        discover(data, **{"target": "stars", **arguments}, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_each_argument_sets_its_option(tmp_path: Path) -> None:
    asked: dict[str, Any] = {
        "text_b": "other",
        "positive": True,
        "task": "binary",
        "levels": ["low", "high"],
        "controls": "words",
        "fixed_effects": ["shop", 3],
        "strata": "year",
        "weight": "w",
        "exposure": "days",
        "hypotheses": "mentions a refund",
        "gold": Path("gold.csv"),
    }
    named = {**dict.fromkeys(_request._KEYS), **asked}
    rest = {"split": None, "options": None, "confirm": "ask", "progress": False}
    flags = dict.fromkeys(("local", "frozen", "batch", "wait"), False)
    made = _request.make(data="a.csv", out=tmp_path / "run", **rest, **flags, **named)
    assert set(made.assignments) == {
        'data.path="a.csv"',
        'data.text_b="other"',
        "data.positive=true",
        'data.task="binary"',
        'data.levels=["low", "high"]',
        'data.controls=["words"]',
        'data.fixed_effects=["shop", 3]',
        'data.strata="year"',
        'data.weight="w"',
        'data.exposure="days"',
        'evaluate.hypotheses=["mentions a refund"]',
        'evaluate.gold="gold.csv"',
    }


def test_the_sides_of_pairs_are_not_mixed_up(paired: hypothesaes.Run) -> None:
    rows, told = paired.rows.set_index("row_id"), paired.annotations
    text = {"a": rows.text, "b": rows.text_b}
    assert set(told.side) == {"a", "b"}
    hypothesis = paired.hypotheses[paired.hypotheses.status == "holds"].iloc[0]
    of = told[told.hypothesis_id == hypothesis.hypothesis_id].set_index(["row_id", "side"]).value
    for kind, value in (("present", 1), ("absent", 0)):
        shown = paired.examples(hypothesis.hypothesis_id, kind, 12)  # type: ignore[arg-type]
        assert list(shown.columns[:5]) == ["row_id", "side", "split", "target", "text"]
        assert len(shown) == 12 and set(shown.side) == {"a", "b"}
        for row in shown.itertuples():
            assert row.text == text[row.side][row.row_id]
            assert of[row.row_id, row.side] == row.annotation == value
    top = paired.examples(hypothesis.hypothesis_id, n=9)
    fires = paired.activations.set_index(["neuron_id", "row_id", "side"]).activation
    for row in top.itertuples():
        assert row.text == text[row.side][row.row_id]
        assert fires[hypothesis.neuron_id, row.row_id, row.side] == row.activation


def test_the_summary_of_pairs_speaks_of_pairs(paired: hypothesaes.Run) -> None:
    n = (paired.rows.split == "heldout").sum()
    assert f"hold on {n:,} held-out pairs" in repr(paired)
    said = " ".join(str(paired.summary()).split())
    assert "share of wins minus losses of the text that alone has it" in said
    assert "log-odds of winning" in said
    held = paired.hypotheses[paired.hypotheses.status == "holds"]
    assert len(held) and held.separation.abs().max() > 0.2
    new = paired.annotate(["the wait was slow and long"], hypotheses=held.hypothesis_id.iloc[0])
    assert len(new) == 1


def test_own_hypotheses_of_pairs_are_tested_as_pairs(
    paired: hypothesaes.Run, tmp_path: Path
) -> None:
    run = hypothesaes.load(shutil.copytree(paired.folder, tmp_path / "run"))
    before = run.hypotheses.set_index("hypothesis_id").separation
    own = run.test(['mentions "slow"']).iloc[0]
    assert -1 <= own.separation < 0 and 0 < own.n_present < own.n
    after = run.own.set_index("hypothesis_id").separation
    assert after[before.index].tolist() == before.tolist()
    assert len(run.examples(own.hypothesis_id, "present", 2)) == 2


def test_several_classes_are_told_apart(frame: Any, tmp_path: Path) -> None:
    run = discover(frame, target="kind", out=tmp_path / "run")
    table, summary = run.hypotheses, run.summary().as_text()
    ids = table.hypothesis_id.unique()
    assert len(table) == 3 * len(ids)
    n_hold = table[table.status == "holds"].hypothesis_id.nunique()
    assert f"{n_hold} of {len(ids)} hypotheses about `kind` hold" in repr(run)
    best = table.loc[table.separation.idxmax()]
    assert best["class"] in ("slow", "sweet") and best.status == "holds"
    lines = [" ".join(line.split()) for line in summary.splitlines()]
    shown = f"{best.separation:+.2f} ["
    assert any(line.startswith(best.hypothesis_id) and shown in line for line in lines)
    flat = " ".join(run.summary().as_markdown().split())
    for name in ("slow", "sweet", "other"):
        assert f"AUC, cross-fitted ({name})" in flat and f"({name}) |" in flat
    assert "log-odds of the class in brackets" in flat
    assert len(run.examples(best.hypothesis_id, "present", 3)) == 3
    names = [name.lower() for name in ids]
    assert list(run.annotate(["a slow wait"]).columns) == ["text", *names]
    # Own ones are tested on every class, counted with the run's, and judged as the table is.
    mine = run.test(['mentions "slow"', 'mentions "parked"'])
    assert mine["class"].tolist() == 2 * table["class"].unique().tolist()
    assert mine.hypothesis.tolist() == 3 * ['mentions "slow"'] + 3 * ['mentions "parked"']
    slow = mine.set_index(["hypothesis", "class"]).loc[('mentions "slow"', "slow")]
    n = len(table) + len(mine)
    assert slow.separation > 0.3
    assert slow.separation_p_bonferroni == pytest.approx(min(1, slow.separation_p_value * n))
    after = run.own
    assert len(after) == n and not after.is_exploratory[: len(table)].any()
    assert after.separation[: len(table)].tolist() == table.separation.tolist()


def test_controls_are_held_equal(frame: Any, tmp_path: Path) -> None:
    run = discover(
        frame, target="stars", controls=["words", "topic"], weight="weight", out=tmp_path / "run"
    )
    row = run.hypotheses[run.hypotheses.status == "holds"].iloc[0]
    shown = f"{row.adjusted_separation:+.2f} [{row.adjusted_conf_low:+.2f}"
    text = run.summary().as_text()
    line = next(line for line in text.splitlines() if line.startswith(row.hypothesis_id))
    assert shown in line
    assert "the controls held equal" in " ".join(text.split())
    fits = run.models[run.models.fit == "cross_fitted"].set_index("predictors").estimate
    assert f"{fits['controls']:.2f} [" in text and "R2 of the controls, cross-fitted:" in text
    assert fits["controls"] < fits["hypotheses"]
    own = run.test(['mentions "slow"']).iloc[0]
    assert own.adjusted_separation != own.separation
    assert run.own.adjusted_separation.iloc[0] == run.hypotheses.adjusted_separation.iloc[0]


def test_groups_are_clusters_and_strata_are_compared(frame: Any, tmp_path: Path) -> None:
    run = discover(
        frame,
        target="stars",
        group="shop",
        fixed_effects="shop",
        strata="night",
        out=tmp_path / "run",
    )
    heldout = run.rows[run.rows.split == "heldout"]
    said = " ".join(str(run.summary()).split())
    assert f"count as one cluster ({heldout.group.nunique()} groups)" in said
    assert "count as independent" not in said
    strata = run.strata
    assert set(strata.stratum) == {"true", "false"}
    meant = run.dictionary[run.dictionary.table == "strata"].column
    assert list(strata.columns) == list(meant)
    # A run without strata has the same columns.
    assert list(strata.columns) == list(_folder._OPTIONAL["strata"])
    run.test(['mentions "slow"'])
    ours, own = run.hypotheses.iloc[0], run.own.iloc[0]
    assert own.separation_std_error == ours.separation_std_error


def test_counts_are_divided_by_their_exposure(frame: Any, tmp_path: Path) -> None:
    # One hypothesis, whose coefficient is known: the log of the ratio of the two rates.
    run = discover(
        frame,
        target="complaints",
        task="count",
        exposure="days",
        hypotheses='mentions "slow"',
        n_hypotheses=0,
        out=tmp_path / "run",
    )
    rows = run.rows[run.rows.split == "heldout"]
    has = rows.text.str.contains("slow")
    rates = [rows.target[on].sum() / rows.exposure[on].sum() for on in (has, ~has)]
    (row,) = run.hypotheses.itertuples()
    assert row.estimate == pytest.approx(np.log(rates[0] / rates[1])) and row.status == "holds"
    text = run.summary().as_text()
    assert "Explained deviance, cross-fitted:" in text
    assert "logs of the mean `complaints`" in " ".join(text.split())


def test_levels_are_in_order(frame: Any, tmp_path: Path) -> None:
    run = discover(
        frame,
        target="level",
        levels=["low", "middle", "high"],
        task="ordinal",
        out=tmp_path / "run",
    )
    slow = run.hypotheses[run.hypotheses.hypothesis.str.contains("wait|slow|long")]
    assert (slow.estimate < 0).any()
    assert "log-odds of a higher `level`" in " ".join(str(run.summary()).split())


@pytest.fixture(scope="module")
def plain(frame: Any, tmp_path_factory: pytest.TempPathFactory) -> hypothesaes.Run:
    out = tmp_path_factory.mktemp("plain") / "run"
    mine = ['mentions "slow"', 'mentions "parked"']
    return discover(frame, target="stars", hypotheses=mine, out=out)


def test_own_hypotheses_stand_beside_those_found(plain: hypothesaes.Run) -> None:
    own = plain.hypotheses[plain.hypotheses.origin == "own"]
    assert own.hypothesis.tolist() == ['mentions "slow"', 'mentions "parked"']
    assert own.neuron_id.isna().all()
    # The first may be what was found as well.
    assert own.status.iloc[0] in ("holds", "aliased", "duplicate")
    assert own.status.iloc[1] == "does_not_hold"
    rows = plain.rows[plain.rows.split == "heldout"]
    has = rows.text.str.contains("slow")
    exact = rows.target[has].mean() - rows.target[~has].mean()
    assert own.separation.iloc[0] == pytest.approx(exact)
    ids = ", ".join(own.hypothesis_id)
    assert f"{ids}: your own, not found in these data." in str(plain.summary())
    shown = plain.examples(own.hypothesis_id.iloc[0], "present", 2)
    assert shown.text.str.contains("slow").all() and len(shown) == 2
    with pytest.raises(OptionError, match="there are present"):
        plain.examples(own.hypothesis_id.iloc[0], "top")


def test_own_hypotheses_alone_need_no_discovery(frame: Any, tmp_path: Path) -> None:
    run = discover(
        frame, target="stars", hypotheses='mentions "slow"', n_hypotheses=0, out=tmp_path / "run"
    )
    assert run.hypotheses.hypothesis.tolist() == ['mentions "slow"']
    rows = run.rows[run.rows.split == "heldout"]
    has = rows.text.str.contains("slow")
    exact = rows.target[has].mean() - rows.target[~has].mean()
    assert run.hypotheses.separation[0] == pytest.approx(exact)
    assert "Shuffled targets" not in str(run.summary()) and len(run.placebo) == 0
    assert len(run.test(['mentions "parked"'])) == 1


def test_checks_are_shown(plain: hypothesaes.Run, tmp_path: Path) -> None:
    placebo, text = plain.placebo, plain.summary().as_text()
    assert placebo.run.tolist() == [1, 2]
    told = f"{placebo.n_hold.sum()} of {placebo.n_tested.sum()} neurons hold (2 runs)"
    line = next(line for line in text.splitlines() if line.startswith("Shuffled targets:"))
    assert line.endswith(told)
    checks = json.loads(Path(plain.folder, "evaluate/checks.json").read_text(encoding="utf-8"))
    assert len(plain.leakage) == checks["leakage"]["n_near"]
    # What was done before there were checks, or found other things.
    copy = Path(shutil.copytree(plain.folder, tmp_path / "copy"), "evaluate/checks.json")

    def shown(leakage: dict[str, Any]) -> str:
        leakage = {"n_heldout": 300, "near": [], **leakage}
        found = {"leakage": leakage, "placebo": None, "gold": None}
        copy.write_text(json.dumps(found), encoding="utf-8")
        return str(hypothesaes.load(copy.parents[1]).summary())

    known = shown({"n_near": 12, "n_groups": 0})
    assert "12 of 300 held-out texts nearly known, 0 groups on both sides" in known
    assert "Shuffled" not in known
    assert "none found" in shown({"n_near": 0, "n_groups": 0})
    assert "not looked for nearly known texts, 2 groups" in shown({"n_near": None, "n_groups": 2})
    copy.unlink()
    assert "Leakage" not in str(hypothesaes.load(copy.parents[1]).summary())


def test_tables_that_are_not_there_have_no_rows_but_their_columns(
    plain: hypothesaes.Run, frame: Any, tmp_path: Path
) -> None:
    assert len(plain.strata) == 0 and len(plain.gold) == 0 and len(plain.roc) == 0
    assert plain.deciles.n.sum() == plain.models.n.iloc[0]
    assert set(plain.subgroups.factor) == {"length"} or len(plain.subgroups) == 0
    assert list(plain.strata.columns)[:3] == ["hypothesis_id", "stratum", "n"]
    table = hypothesaes.load(plain.folder, frames="table")
    assert len(table.gold) == 0 and "kappa" in table.gold.names
    assert len(table.own) == 0 and "is_exploratory" in table.own.names


def test_annotations_by_hand_correct_the_effects(
    plain: hypothesaes.Run, frame: Any, tmp_path: Path
) -> None:
    wide = plain.annotations.pivot(index="row_id", columns="hypothesis_id", values="value")
    sheet = wide.astype(int).sample(60, random_state=0)
    # By hand, a tenth is seen differently.
    sheet.iloc[:6] = 1 - sheet.iloc[:6]
    sheet.to_csv(tmp_path / "gold.csv")
    mine = ['mentions "slow"', 'mentions "parked"']
    run = discover(
        frame, target="stars", hypotheses=mine, gold=tmp_path / "gold.csv", out=tmp_path / "run"
    )
    gold = run.gold.set_index("hypothesis_id")
    assert gold.index.tolist() == run.hypotheses.hypothesis_id.tolist()
    assert gold.agreement.tolist() == pytest.approx([0.9] * len(gold))
    separation = run.hypotheses.set_index("hypothesis_id").separation
    fits = gold.naive.notna()
    assert fits.any() and (gold.naive - separation)[fits].abs().max() < 1e-9
    assert f"Kappa, by hand: {gold.kappa.min():.2f} to" in " ".join(str(run.summary()).split())
    # What a run without the table has in its place.
    assert list(plain.gold.columns) == list(run.gold.columns)
    again = discover(frame, target="stars", hypotheses=mine, out=tmp_path / "run")
    assert len(again.gold) == 0
