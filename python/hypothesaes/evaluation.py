"""Whether hypotheses hold: annotations and a target go in, effects with their uncertainty come out.
Also how two lists of hypotheses compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from . import _frames, _native, _results, _statistics, progress
from ._arrays import Floats, check_length, to_numpy, whole
from ._asked import is_missing
from ._labels import Target, target
from ._prompts import fill
from .errors import ColumnError, DataError, OptionError
from .llm_api import get_completion
from .utils import load_prompt

__all__ = [
    "compute_hypothesis_separation_scores",
    "compute_ols_metrics",
    "compute_pairwise_correlation_matrix",
    "evaluate_predicate_surface_similarity",
    "hungarian_matching_algorithm",
    "score_hypotheses",
]

_SIMILAR = {"yes": 1.0, "related": 0.5, "no": 0.0}


def compute_pairwise_correlation_matrix(
    reference_hypotheses: Mapping[str, Any], predicted_hypotheses: Mapping[str, Any]
) -> dict[tuple[str, str], float]:
    """How every reference correlates with every prediction.

    Parameters
    ----------
    reference_hypotheses, predicted_hypotheses : mapping of str to array, n
        Annotations of the same texts.

    Returns
    -------
    dict
        `[reference, prediction]`: Pearson correlation over the texts that both have an annotation
        of; NaN if one of them is constant there.
    """
    references = list(zip(*_columns(reference_hypotheses)))
    predictions = list(zip(*_columns(predicted_hypotheses)))
    found = {}
    for one, x in references:
        for other, y in predictions:
            check_length(y, other, len(x), one)
            found[one, other] = _correlation(x, y)
    return found


def hungarian_matching_algorithm(
    hypothesis_list_1: Sequence[str],
    hypothesis_list_2: Sequence[str],
    similarity_scores: Mapping[tuple[str, str], float],
) -> list[tuple[str, str, float]]:
    """The one-to-one matching with the largest sum of similarities.

    Parameters
    ----------
    hypothesis_list_1, hypothesis_list_2 : sequence of str
        Equally many.
    similarity_scores : mapping of (str, str) to float
        `[one of list 1, one of list 2]`. Pairs that are NaN are matched only where nothing else is
        left.

    Returns
    -------
    list of (str, str, float)
        A pair for each of list 1, in its order, with its similarity.
    """
    n, m = len(hypothesis_list_1), len(hypothesis_list_2)
    if n != m:
        raise OptionError(
            f"`hypothesis_list_1` has {n} entries and `hypothesis_list_2` {m}: give equally many"
        )
    if n == 0:
        return []
    pairs = [[(one, other) for other in hypothesis_list_2] for one in hypothesis_list_1]
    absent = next((pair for row in pairs for pair in row if pair not in similarity_scores), None)
    if absent is not None:
        raise ColumnError(f"`similarity_scores` has no entry for `{absent}`")
    scores = np.array([[float(similarity_scores[pair]) for pair in row] for row in pairs])
    if np.isinf(scores).any():
        raise DataError("`similarity_scores` holds an infinite value: similarities are finite")
    # Below any sum of the others, so that as few as possible are used.
    worst = -1 - 2 * n * np.abs(np.nan_to_num(scores)).max()
    matched = _native.match(np.where(np.isnan(scores), worst, scores))
    return [
        (one, hypothesis_list_2[j], float(scores[i, j]))
        for i, (one, j) in enumerate(zip(hypothesis_list_1, matched))
    ]


def evaluate_predicate_surface_similarity(
    predicate1: str, predicate2: str, n_samples: int = 5, **kwargs: Any
) -> float:
    """How similar two hypotheses read, as a language model sees it.

    Parameters
    ----------
    predicate1, predicate2 : str
    n_samples : int
        How often the model is asked.
    **kwargs
        `model`, `temperature` and so on, for `get_completion`.

    Returns
    -------
    float
        Mean of 1 (the same), 0.5 (related) and 0 (different). Answers that are none of them do not
        count; NaN if there is no other.
    """
    whole(n_samples, "n_samples", 1)
    name = "surface-similarity"
    values = {"text_a": predicate1, "text_b": predicate2}
    prompt = fill(name, load_prompt(name), values, "this function")
    answers = [get_completion(prompt=prompt, **kwargs) for _ in range(n_samples)]
    scores = [score for score in map(_similarity, answers) if score is not None]
    if len(scores) < n_samples:
        n_lost = n_samples - len(scores)
        progress.say(f"{n_lost} of {n_samples} answers cannot be read and do not count")
    return float(np.mean(scores)) if scores else np.nan


def compute_hypothesis_separation_scores(
    hypothesis_annotations: Mapping[str, Any], y_true: Any
) -> dict[str, tuple[float, float]]:
    """Mean target of the texts that have the concept, minus the mean of those that do not.

    Parameters
    ----------
    hypothesis_annotations : mapping of str to array, n
        1, 0, and NaN or None where missing. For pairs of texts also -1: see `score_hypotheses`.
    y_true : array, n

    Returns
    -------
    dict
        Difference in the unit of the target, and p-value of Student's t with equal variances, by
        hypothesis; NaN where there is none.
    """
    names, columns, y = _data(hypothesis_annotations, y_true, False)
    pairs = _statistics.are_pairs(columns)
    found = [_statistics.separation(column, y.y, pairs) for column in columns]
    return {
        name: (_nan(one.value), _nan(one.student_p)) for name, one in zip(names, found)
    }


def compute_ols_metrics(
    hypothesis_annotations: Mapping[str, Any],
    y_true: Any,
    classification: bool = False,
    print_summary: bool = False,
) -> tuple[dict[str, float], dict[str, tuple[float, float]]]:
    """A regression of the target on all hypotheses: least squares, or a logit for two classes.

    Parameters
    ----------
    hypothesis_annotations, y_true, classification, print_summary
        As in `score_hypotheses`.

    Returns
    -------
    (dict, dict)
        Metrics as in `score_hypotheses`; and by hypothesis its coefficient with the p-value that
        trusts the model (equal variances, or the binomial one), NaN if it takes no part.
    """
    names, columns, y = _data(hypothesis_annotations, y_true, classification)
    joint = _statistics.joint(columns, y.y, y.classification)
    if print_summary:
        progress.say(_results.summary(names, joint))
    found = {
        name: (_nan(term.value), _nan(term.classical_p))
        for name, term in zip(names, joint.terms)
    }
    return _results.fit_metrics(joint, y.classification), found


def score_hypotheses(
    hypothesis_annotations: Mapping[str, Any],
    y_true: Any,
    classification: bool = False,
    corrected_pval_threshold: float = 0.1,
    print_summary: bool = False,
) -> tuple[dict[str, Any], Any]:
    """Test hypotheses on texts that were not used to find them.

    Parameters
    ----------
    hypothesis_annotations : mapping of str to array, n
        By hypothesis 1 (true of the text), 0, and NaN or None where missing. A missing annotation
        is left out of its hypothesis, and its text out of the regression.

        For pairs of texts also -1: 1 if the first text alone has the concept, -1 if the second
        alone has it. The target then says how the first compares with the second: 0 and 1, or a
        difference. The separation is how much the text that has the concept alone gains over a
        tie, and does not depend on which text is called first.
    y_true : array, n
        Numbers, flags, or two words.
    classification : bool
        Whether the target is two classes, of which the larger counts as 1.
    corrected_pval_threshold : float
        A hypothesis is `Significant` if its `regression_pval` is below this, divided by the number
        of hypotheses.
    print_summary : bool
        Print the regression.

    Returns
    -------
    metrics : dict
        `r2`, or `auroc`, `auprc` and `r2` (McFadden's): of the very texts that the regression is
        fitted on, hence too favourable. `Significant`: (number, of how many, threshold). Then
        `r2_cross_fitted` or `auroc_cross_fitted`, of texts that the regression did not see, with
        its 95 % interval; `n`, texts in the regression; `n_incomplete`, texts left out of it as
        they lack an annotation; `note`, what to know of the regression, if there is anything.
    hypotheses : data frame
        A row per hypothesis, the largest separation first:

        - `hypothesis`, `separation_score`, `separation_pval` (Student's t, equal variances),
          `regression_coef`, `regression_pval` (trusting the model), `feature_prevalence`;
        - of the separation `separation_std_error`, `separation_conf_low`, `separation_conf_high`,
          `separation_p_value` (Welch's, or Student's where its error is larger), and this adjusted
          for the number of hypotheses: `separation_p_holm`, `separation_p_bh`,
          `separation_p_bonferroni`;
        - the same of the coefficient, `regression_std_error` and so on, with `regression_vcov`:
          `hc3`, `classical` where that is larger, `profile` if penalised;
        - `mean_present`, `mean_absent`, `n`, `n_present`, `n_absent`, `n_missing`;
        - `status`: `holds` (`separation_p_holm` below 0.05), `does_not_hold`, `constant` or
          `aliased` (no regression can tell its effect), `untested`; and `warning`.
    """
    names, columns, y = _data(hypothesis_annotations, y_true, classification)
    like = None if isinstance(hypothesis_annotations, Mapping) else hypothesis_annotations
    return _results.scored(
        names, columns, y, corrected_pval_threshold, print_summary=print_summary, like=like
    )


def _data(
    annotations: Any, y_true: Any, classification: bool
) -> tuple[list[str], list[Floats], Target]:
    y = target(y_true, classification, "y_true")
    y.say()
    names, columns = _columns(annotations)
    if not columns:
        raise DataError("`hypothesis_annotations` is empty: give at least one hypothesis")
    for name, column in zip(names, columns):
        check_length(column, name, len(y.y), "y_true")
    return names, columns, y


def _columns(annotations: Any) -> tuple[list[str], list[Floats]]:
    """Names, and columns as numbers, missing ones as NaN."""
    if isinstance(annotations, Mapping):
        return list(annotations), [_column(v, str(name)) for name, v in annotations.items()]
    names = _frames.names(annotations)
    return names, [_column(_frames.column(annotations, name), name) for name in names]


def _column(values: Any, name: str) -> Floats:
    found = to_numpy(values)
    if found.ndim != 1:
        raise DataError(
            f"annotations of `{name}` have the shape {found.shape}: one per text is needed"
        )
    if found.dtype.kind not in "biuf":
        items = [np.nan if is_missing(value) else value for value in found.tolist()]
        try:
            found = np.array(items, np.float64)
        except (TypeError, ValueError) as error:
            raise DataError(f"annotations of `{name}` are no numbers: {error}") from None
    return found.astype(np.float64)


def _correlation(x: Floats, y: Floats) -> float:
    known = ~(np.isnan(x) | np.isnan(y))
    x, y = x[known], y[known]
    if len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return np.nan
    x, y = x - x.mean(), y - y.mean()
    return float(np.clip(x @ y / np.sqrt((x @ x) * (y @ y)), -1, 1))


def _similarity(answer: str) -> float | None:
    word = answer.strip().lower().lstrip("*\"'` ").removeprefix("output:").strip()
    return next((score for name, score in _SIMILAR.items() if word.startswith(name)), None)


def _nan(value: float | None) -> float:
    return np.nan if value is None else value
