"""What goes wrong is said: what, where, and what to do, as the exceptions that users expect."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import planted
import pytest

import hypothesaes
from hypothesaes import errors

COLUMNS = planted.reviews(300)


def discover(data: Any, **arguments: Any) -> hypothesaes.Run:
    return hypothesaes.discover(data, **{"local": True, "progress": False, **arguments})


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("OptionError", ValueError),
        ("DataError", ValueError),
        ("ColumnError", KeyError),
        ("FileError", OSError),
        ("MissingFileError", FileNotFoundError),
        ("RunError", RuntimeError),
        ("ServerError", ConnectionError),
        ("KeyRefusedError", PermissionError),
        ("BudgetError", RuntimeError),
        ("PendingError", RuntimeError),
        ("InternalError", RuntimeError),
    ],
)
def test_errors_are_also_those_that_users_expect(name: str, expected: type) -> None:
    error = getattr(errors, name)
    assert issubclass(error, expected) and issubclass(error, errors.HypothesaesError)
    assert getattr(hypothesaes, name) is error and error.__doc__
    assert str(error("what is wrong")) == "what is wrong"


def test_a_missing_column_is_told_with_the_nearest_names(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="did you mean `stars`") as caught:
        discover(COLUMNS, target="star", out=tmp_path / "run")
    assert isinstance(caught.value, errors.ColumnError)
    assert "`target` names the column `star`" in str(caught.value)
    with pytest.raises(errors.ColumnError, match="say which column is the target: `target=`"):
        discover(COLUMNS, out=tmp_path / "run")
    with pytest.raises(errors.ColumnError, match="`group` names the column `author`"):
        discover(COLUMNS, target="stars", group="author", out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_missing_column_of_a_file_is_a_key_error_too(tmp_path: Path) -> None:
    file = tmp_path / "reviews.tsv"
    file.write_text("text\tstars\na b\t1\nc d\t2\n", encoding="utf-8")
    with pytest.raises(KeyError, match="`star`.*nearest: `stars`"):
        discover(file, target="star", out=tmp_path / "run")
    with pytest.raises(FileNotFoundError, match="reviews.csv"):
        discover(tmp_path / "reviews.csv", target="stars", out=tmp_path / "run")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"options": {"select.number": 3}}, "did you mean"),
        ({"options": {"select.n": 3}, "n_hypotheses": 5}, "given twice: as `n_hypotheses`"),
        ({"options": {"data.path": "x.csv"}}, "the first argument says"),
        ({"options": {"split.discover": 0.5}, "split": "50/10/40"}, "given twice: as `split`"),
        ({"options": {"sae.k": {}}}, "`sae.k` is a `dict`"),
        ({"split": "70/30"}, '"70/15/15"'),
        ({"split": (1, "x", 2)}, '"70/15/15"'),
        ({"confirm": "yes"}, "ask, never or plan"),
        ({"n_hypotheses": 0}, "select.n"),
        ({"saes": ["8:64"]}, "64"),
        ({"text": "stars"}, "different columns"),
    ],
)
def test_arguments_out_of_range_are_named(
    arguments: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        discover(COLUMNS, target="stars", out=tmp_path / "run", **arguments)
    assert isinstance(caught.value, errors.OptionError)


def test_every_option_of_the_options_file_can_be_set(tmp_path: Path) -> None:
    run = discover(
        COLUMNS,
        target="stars",
        saes=["16:4", (8, 2)],
        split=(50, 10, 40),
        seed=3,
        out=tmp_path / "run",
        options={"select.n": 3, "sae.max_epochs": 4, "interpret.context": 'say "a\\b"\n\x7f é'},
    )
    told = Path(run.folder, "hypothesaes.toml").read_text(encoding="utf-8")
    for line in ("seed = 3", "n = 3", "max_epochs = 4", 'sizes = ["16:4", "8:2"]'):
        assert line in told.splitlines() or line in told
    assert (run.rows.split == "heldout").mean() == pytest.approx(0.4, abs=0.02)
    assert run.plan.stages.reused.all()


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("text", 7, "column `text`, row 2 .from 0.: `7` is a int, not a text"),
        ("stars", ["a"], "column `stars`, row 2 .from 0.: `.'a'.` is a list"),
    ],
)
def test_bad_values_are_told_with_their_place(
    column: str, value: object, message: str, tmp_path: Path
) -> None:
    values = list(COLUMNS[column])
    values[2] = value
    with pytest.raises(errors.DataError, match=message):
        discover({**COLUMNS, column: values}, target="stars", out=tmp_path / "run")


def test_data_of_other_kinds_are_refused(tmp_path: Path) -> None:
    with pytest.raises(errors.DataError, match="differ in length: `text` 300, `stars` 299"):
        discover({**COLUMNS, "stars": COLUMNS["stars"][1:]}, target="stars", out=tmp_path / "r")
    for data in ([1, 2], 7, None):
        with pytest.raises(errors.DataError, match=f"`{type(data).__name__}`: pass a pandas"):
            discover(data, target="stars", out=tmp_path / "r")
    pandas = pytest.importorskip("pandas")
    twice = pandas.DataFrame([["a", 1, 2]] * 4, columns=["text", "y", "y"])
    with pytest.raises(errors.ColumnError, match="several columns `y`"):
        discover(twice, target="y", out=tmp_path / "r")
    with pytest.raises(errors.DataError, match="must vary"):
        discover({"text": ["a", "b"], "y": [1, 1]}, target="y", out=tmp_path / "r")


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("mine", encoding="utf-8")
    with pytest.raises(errors.RunError, match="other files in it"):
        discover(COLUMNS, target="stars", out=tmp_path)
    assert (tmp_path / "thesis.tex").read_text(encoding="utf-8") == "mine"


def test_what_cannot_be_paid_or_asked_is_a_class_of_its_own(
    tmp_path: Path, simulated: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {
        "target": "stars",
        "local": False,
        "confirm": "never",
        "n_hypotheses": 2,
        "out": tmp_path / "run",
    }
    service = simulated()
    with pytest.raises(errors.BudgetError, match="kept|ceiling"):
        discover(COLUMNS, **settings, max_cost=0.0005)
    spent = service.requests()
    assert spent > 0
    # What was paid for is used by the call that goes on.
    run = discover(COLUMNS, **settings, max_cost=5)
    assert len(run.hypotheses) == 2
    assert run.cost.calls.sum() == service.stats()["ok"]
    with pytest.raises(errors.MissingAnswersError):
        discover(COLUMNS, **{**settings, "annotator": "gpt-5-nano"}, frozen=True)
    monkeypatch.delenv("OPENAI_BASE_URL")
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(errors.KeyRefusedError, match="OPENAI_API_KEY"):
        discover(COLUMNS, **{**settings, "out": tmp_path / "other", "annotator": "gpt-5-mini"})
