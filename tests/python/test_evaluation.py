"""Statistics of hypotheses: equal to statsmodels, SciPy, scikit-learn and the original where these
are right."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import peer
import pytest

from hypothesaes import _results, evaluation
from hypothesaes.errors import ColumnError, DataError, OptionError
from hypothesaes._labels import target
from hypothesaes.evaluation import (
    compute_hypothesis_separation_scores,
    compute_ols_metrics,
    compute_pairwise_correlation_matrix,
    evaluate_predicate_surface_similarity,
    hungarian_matching_algorithm,
    score_hypotheses,
)

pytest.importorskip("pandas")

N = 800
ORIGINAL = [
    "hypothesis",
    "separation_score",
    "separation_pval",
    "regression_coef",
    "regression_pval",
    "feature_prevalence",
]


def annotations(n: int = N, seed: int = 0, values: Any = (0, 1)) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    return {f"concept {j}": random.choice(values, n) for j in range(5)}


A = annotations()
RANDOM = np.random.default_rng(1)
Y = A["concept 0"] - 0.7 * A["concept 1"] + RANDOM.normal(size=N)
CLASSES = (Y > 0.2).astype(int)
PAIRS = annotations(seed=2, values=(-1, 0, 1))
WINS = (PAIRS["concept 0"] + RANDOM.normal(size=N) > 0).astype(int)


def rows(table: Any) -> list[dict[str, Any]]:
    return list(table.to_dict("records"))


def by_name(table: Any) -> dict[str, dict[str, Any]]:
    return {row["hypothesis"]: row for row in rows(table)}


@pytest.mark.parametrize("classification", [False, True])
def test_figures_are_those_of_statsmodels_scipy_and_scikit_learn(classification: bool) -> None:
    sm = pytest.importorskip("statsmodels.api")
    stats = pytest.importorskip("scipy.stats")
    learned = pytest.importorskip("sklearn.metrics")
    y = CLASSES if classification else Y
    x = sm.add_constant(np.column_stack(list(A.values())))
    fit = sm.Logit(y, x).fit(disp=0) if classification else sm.OLS(y, x).fit()
    metrics, table = score_hypotheses(A, y, classification)
    assert list(table.columns[:6]) == ORIGINAL
    assert table["separation_score"].is_monotonic_decreasing
    for j, (name, column) in enumerate(A.items(), 1):
        row = by_name(table)[name]
        one, other = y[column == 1], y[column == 0]
        test = stats.ttest_ind(one, other)
        assert row["separation_score"] == pytest.approx(one.mean() - other.mean())
        assert row["separation_pval"] == pytest.approx(test.pvalue, rel=1e-9)
        assert row["regression_coef"] == pytest.approx(fit.params[j], rel=1e-7)
        assert row["regression_pval"] == pytest.approx(fit.pvalues[j], rel=1e-6)
        assert row["feature_prevalence"] == pytest.approx(column.mean())
        assert row["n_present"] == column.sum() and row["n"] == N
    predicted = fit.predict(x)
    if classification:
        assert metrics["auroc"] == pytest.approx(learned.roc_auc_score(y, predicted))
        assert metrics["auprc"] == pytest.approx(learned.average_precision_score(y, predicted))
        assert metrics["r2"] == pytest.approx(fit.prsquared)
    else:
        assert metrics["r2"] == pytest.approx(fit.rsquared)
    n_below = int((fit.pvalues[1:] < 0.02).sum())
    assert metrics["Significant"] == (n_below, 5, 0.02)


@pytest.mark.parametrize("classification", [False, True])
def test_tables_are_those_of_the_original(classification: bool) -> None:
    for name in ("statsmodels", "pandas", "sklearn", "scipy"):
        pytest.importorskip(name)
    theirs = peer.module("evaluation")
    y = CLASSES if classification else Y
    expected_metrics, expected = theirs.score_hypotheses(A, y, classification)
    metrics, table = score_hypotheses(A, y, classification)
    assert list(metrics)[: len(expected_metrics)] == list(expected_metrics)
    for name, value in expected_metrics.items():
        assert metrics[name] == pytest.approx(value, rel=1e-6)
    assert table.index.tolist() == expected.index.tolist()
    assert list(table.columns[: len(expected.columns)]) == list(expected.columns)
    for column in expected.columns:
        if column == "hypothesis":
            assert table[column].tolist() == expected[column].tolist()
        else:
            np.testing.assert_allclose(table[column], expected[column], rtol=1e-5)
    assert compute_ols_metrics(A, y, classification)[1] == {
        name: pytest.approx(pair, rel=1e-5)
        for name, pair in theirs.compute_ols_metrics(A, y, classification)[1].items()
    }


def test_the_regression_of_pairs_is_that_of_the_original() -> None:
    pytest.importorskip("statsmodels")
    theirs = peer.module("evaluation").compute_ols_metrics(PAIRS, WINS, True)
    metrics, terms = compute_ols_metrics(PAIRS, WINS, True)
    assert terms == {name: pytest.approx(pair, rel=1e-5) for name, pair in theirs[1].items()}
    assert metrics["auroc"] == pytest.approx(theirs[0]["auroc"])


def test_trap_31_pairs_under_the_null_are_rejected_as_often_as_they_should() -> None:
    random = np.random.default_rng(5)
    p = []
    for _ in range(400):
        columns = {"concept": random.choice([-1, 0, 1], 300, p=[0.3, 0.4, 0.3])}
        wins = random.integers(0, 2, 300)
        p.append(compute_hypothesis_separation_scores(columns, wins)["concept"][1])
    # Four standard errors around 5 %.
    assert 0.05 - 0.044 < np.mean(np.array(p) < 0.05) < 0.05 + 0.044


@pytest.mark.parametrize("y", [WINS, WINS - 0.5 + RANDOM.normal(size=N)], ids=["wins", "gains"])
def test_trap_31_pairs_may_change_places(y: Any) -> None:
    is_wins = set(np.unique(y)) == {0, 1}
    swapped = np.random.default_rng(6).random(N) < 0.4
    turned = {name: np.where(swapped, -column, column) for name, column in PAIRS.items()}
    other = np.where(swapped, 1 - y if is_wins else -y, y)
    one = by_name(score_hypotheses(PAIRS, y, is_wins)[1])
    two = by_name(score_hypotheses(turned, other, is_wins)[1])
    for name, row in one.items():
        for column in ("separation_score", "separation_pval", "separation_conf_low"):
            assert two[name][column] == pytest.approx(row[column], rel=1e-9)
    # All change places: the regression is the same too.
    turned = {name: -column for name, column in PAIRS.items()}
    three = by_name(score_hypotheses(turned, 1 - y if is_wins else -y, is_wins)[1])
    for name, row in one.items():
        assert three[name]["regression_coef"] == pytest.approx(row["regression_coef"], rel=1e-6)


def test_pairs_that_all_go_one_way_are_no_certainty() -> None:
    column = np.array([1, -1, 1, 0, 0, 0, 0, 0])
    wins = np.array([1, 0, 1, 1, 0, 1, 0, 1])
    _, table = score_hypotheses({"concept": column}, wins, True)
    (row,) = rows(table)
    assert (row["separation_score"], row["separation_pval"]) == (0.5, 0.25)


def test_trap_20_a_missing_annotation_is_left_out_where_it_is_missing() -> None:
    holes = {name: column.astype(float) for name, column in A.items()}
    holes["concept 0"][:100] = np.nan
    objects: dict[str, Any] = dict(A)
    objects["concept 0"] = [None] * 100 + A["concept 0"][100:].tolist()
    complete = {name: column[100:] for name, column in A.items()}
    expected_metrics, expected = score_hypotheses(complete, Y[100:])
    for some in (holes, objects):
        metrics, table = score_hypotheses(some, Y)
        assert (metrics["n"], metrics["n_incomplete"]) == (N - 100, 100)
        assert metrics["r2"] == pytest.approx(expected_metrics["r2"])
        row, other = by_name(table)["concept 0"], by_name(table)["concept 1"]
        assert (row["n"], row["n_missing"]) == (N - 100, 100)
        assert "100 annotations are missing" in row["warning"]
        assert row["separation_score"] == pytest.approx(
            by_name(expected)["concept 0"]["separation_score"]
        )
        # Others keep all of their texts.
        assert (other["n"], other["n_missing"]) == (N, 0)
        assert row["regression_coef"] == pytest.approx(
            by_name(expected)["concept 0"]["regression_coef"]
        )


def test_trap_20_six_annotations_of_a_hundred() -> None:
    column = np.full(100, np.nan)
    column[:6] = [1, 0, 1, 0, 1, 0]
    nothing = np.full(100, np.nan)
    y = np.arange(100.0)
    metrics, table = score_hypotheses({"few": column, "none": nothing}, y)
    few, none = by_name(table)["few"], by_name(table)["none"]
    assert (few["n"], few["n_missing"], few["separation_score"]) == (6, 94, -1.0)
    assert (none["n"], none["status"]) == (0, "untested")
    assert np.isnan(none["separation_score"]) and np.isnan(none["feature_prevalence"])
    assert metrics["Significant"][1] == 2


def test_trap_32_a_constant_column_moves_no_coefficient() -> None:
    _, expected = score_hypotheses(A, Y)
    for value in (1, 0):
        given = {"constant": np.full(N, value), **A}
        metrics, table = score_hypotheses(given, Y)
        found = by_name(table)
        for name, row in by_name(expected).items():
            assert found[name]["regression_coef"] == pytest.approx(row["regression_coef"])
        row = found["constant"]
        assert row["status"] == "constant" and np.isnan(row["regression_coef"])
        assert row["warning"] == ("all texts have it" if value else "no texts have it")
        assert metrics["Significant"][1] == 6


def test_trap_33_aliased_columns_are_named() -> None:
    both = ((A["concept 0"] == 1) & (A["concept 1"] == 0)).astype(int)
    rest = A["concept 0"] - both
    given = {**A, "twin": A["concept 2"], "both": both, "rest": rest}
    _, table = score_hypotheses(given, CLASSES, True)
    found = by_name(table)
    assert found["twin"]["status"] == "aliased" and "`concept 2`" in found["twin"]["warning"]
    # It is the difference of two others.
    assert found["rest"]["status"] == "aliased" and "others" in found["rest"]["warning"]
    assert found["concept 2"]["separation_score"] == found["twin"]["separation_score"]


def test_trap_33_separation_is_answered_and_said() -> None:
    given = {"perfect": CLASSES, "other": A["concept 2"]}
    metrics, table = score_hypotheses(given, CLASSES, True)
    row = by_name(table)["perfect"]
    assert 5 < row["regression_coef"] < 20 and row["regression_p_value"] < 1e-6
    assert row["regression_vcov"] == "profile" and "Firth" in row["warning"]
    assert "Firth" in metrics["note"]
    assert metrics["auroc"] == 1


def test_trap_34_cross_fitted_figures_stand_beside() -> None:
    noise = {f"noise {j}": np.random.default_rng(j).integers(0, 2, 60) for j in range(20)}
    y = np.random.default_rng(99).normal(size=60)
    metrics, _ = score_hypotheses(noise, y)
    assert metrics["r2"] > 0.2 > metrics["r2_cross_fitted"]
    low, high = metrics["r2_cross_fitted_conf_low"], metrics["r2_cross_fitted_conf_high"]
    assert low < metrics["r2_cross_fitted"] < high
    metrics, _ = score_hypotheses(A, CLASSES, True)
    assert 0.5 < metrics["auroc_cross_fitted"] < metrics["auroc"]


def test_trap_35_errors_intervals_and_adjusted_p_values() -> None:
    sm = pytest.importorskip("statsmodels.api")
    multi = pytest.importorskip("statsmodels.stats.multitest")
    stats = pytest.importorskip("scipy.stats")
    _, table = score_hypotheses(A, Y)
    found = by_name(table)
    fit = sm.OLS(Y, sm.add_constant(np.column_stack(list(A.values())))).fit()
    for j, (name, column) in enumerate(A.items(), 1):
        row = found[name]
        larger = max(fit.HC3_se[j], fit.bse[j])
        assert row["regression_std_error"] == pytest.approx(larger, rel=1e-7)
        assert row["regression_conf_low"] < row["regression_coef"] < row["regression_conf_high"]
        welch = stats.ttest_ind(Y[column == 1], Y[column == 0], equal_var=False)
        # Student's error counts where it is larger.
        assert row["separation_p_value"] >= welch.pvalue * (1 - 1e-9)
        ends = row["separation_conf_low"], row["separation_conf_high"]
        assert ends[0] < row["separation_score"] < ends[1]
    for of in ("separation", "regression"):
        p = table[f"{of}_p_value"].to_numpy()
        for how, method in (("holm", "holm"), ("bh", "fdr_bh"), ("bonferroni", "bonferroni")):
            expected = multi.multipletests(p, method=method)[1]
            np.testing.assert_allclose(table[f"{of}_p_{how}"], expected, rtol=1e-9)
    holds = table["separation_p_holm"] < 0.05
    assert (table["status"] == np.where(holds, "holds", "does_not_hold")).all()


@pytest.mark.parametrize(
    "labels",
    [
        CLASSES == 1,
        CLASSES.astype(float),
        2 * CLASSES - 1,
        CLASSES.astype(str),
        np.where(CLASSES == 1, "spam", "ham").tolist(),
    ],
    ids=["flags", "floats", "signs", "digits", "words"],
)
def test_trap_36_two_classes_however_they_are_written(
    labels: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = score_hypotheses(A, CLASSES, True)
    assert capsys.readouterr().out == ""
    metrics, table = score_hypotheses(A, labels, True)
    assert (metrics, rows(table)) == (expected[0], rows(expected[1]))
    said = capsys.readouterr().out
    assert said.strip().endswith(("spam counts as 1", "1 counts as 1")) or said == ""
    assert ("spam" in said) == isinstance(labels, list)


def test_bad_data_are_refused() -> None:
    for message, given, y, classification in (
        ("is missing at row 3", A, np.where(np.arange(N) == 3, np.nan, Y), False),
        ("compare one class with all others", A, Y, True),
        ("has 3 words without an order", A, ["a", "b", "c", "a"] * 200, False),
        ("is `x` at row 0, which is no number", A, ["x"] + ["1"] * (N - 1), False),
        ("in every row", A, np.ones(N), False),
        ("`concept` has 3 rows and `y_true` has 800", {"concept": [1, 0, 1]}, Y, False),
        ("is empty", {}, Y, False),
        ("annotations of `a` are no numbers", {"a": ["yes"] * N}, Y, False),
    ):
        with pytest.raises((DataError, OptionError)) as refused:
            score_hypotheses(given, y, classification)
        assert message in str(refused.value)


def test_the_kind_of_data_frame_stays() -> None:
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    metrics, expected = score_hypotheses(A, Y)
    assert isinstance(expected, pandas.DataFrame)
    for kind in (pandas, polars):
        found_metrics, table = score_hypotheses(kind.DataFrame(A), Y)
        assert isinstance(table, kind.DataFrame) and found_metrics == metrics
        for name in ("hypothesis", "separation_score", "n", "status"):
            assert list(table[name]) == list(expected[name])


def test_without_any_data_frames_there_is_a_table() -> None:
    columns = [column.astype(float) for column in A.values()]
    columns[0][:] = 1
    names = [None, *list(A)[1:]]
    arguments = (names, columns, target(Y), 0.1)
    metrics, table = _results.scored(*arguments, like="table")
    expected_metrics, expected = _results.scored(*arguments, like="polars")
    assert metrics == expected_metrics
    assert table.names == list(expected.columns)
    for name in table.names:
        assert table.column(name) == expected[name].to_list()
    assert table.column("hypothesis")[-1] is None and table.column("regression_coef")[-1] is None


def test_correlations_are_pearsons_where_both_are_known() -> None:
    stats = pytest.importorskip("scipy.stats")
    one = {"a": A["concept 0"], "constant": np.ones(N)}
    holes = np.where(np.arange(N) < 50, np.nan, A["concept 1"])
    found = compute_pairwise_correlation_matrix(one, {"b": A["concept 1"], "holes": holes})
    expected = stats.pearsonr(A["concept 0"], A["concept 1"])[0]
    assert found["a", "b"] == pytest.approx(expected)
    expected = stats.pearsonr(A["concept 0"][50:], A["concept 1"][50:])[0]
    assert found["a", "holes"] == pytest.approx(expected)
    assert np.isnan(found["constant", "b"]) and len(found) == 4


def test_the_matching_has_the_largest_sum() -> None:
    random = np.random.default_rng(3)
    names = list("abcdef")
    scores = {pair: float(random.normal()) for pair in itertools.product(names, names)}
    found = hungarian_matching_algorithm(names, names, scores)
    sums = (sum(scores[p] for p in zip(names, o)) for o in itertools.permutations(names))
    assert sum(score for *_, score in found) == pytest.approx(max(sums))
    assert [one for one, *_ in found] == names
    assert sorted(other for _, other, _ in found) == names
    # What is not known is matched last.
    unknown = {**scores, **{("a", other): float("nan") for other in names if other != "c"}}
    assert hungarian_matching_algorithm(names, names, unknown)[0] == ("a", "c", scores["a", "c"])
    assert hungarian_matching_algorithm([], [], {}) == []
    with pytest.raises(OptionError, match="has 6 entries and `hypothesis_list_2` 5"):
        hungarian_matching_algorithm(names, names[1:], scores)
    with pytest.raises(KeyError, match="no entry for"):
        hungarian_matching_algorithm(["x"], ["y"], scores)
    assert issubclass(ColumnError, KeyError)


def test_similarity_leaves_out_what_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def completion(prompt: str, **options: Any) -> str:
        asked.append((prompt, options))
        return answers[len(asked) % len(answers)]

    monkeypatch.setattr(evaluation, "get_completion", completion)
    answers = ["Yes.", "**related**", "no", "I cannot say"]
    options: dict[str, Any] = {"model": "m", "max_tokens": 2}
    assert evaluate_predicate_surface_similarity("likes {x}", "loves x", 8, **options) == 0.5
    assert len(asked) == 8 and asked[0][1] == options
    assert "likes {x}" in asked[0][0] and "loves x" in asked[0][0]
    answers = ["?"]
    assert np.isnan(evaluate_predicate_surface_similarity("a", "b"))
