"""Everything in one call: labelled texts go in, tested hypotheses come out.

`discover` does a run, `plan` says what it would do and cost, `load` reads one that was done before,
here or on the command line. Results are data frames of the kind that was given.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from . import _folder, _frames, _request
from ._plan import Plan
from ._request import Request
from ._run import Run, carry_out
from ._summary import Summary
from .errors import OptionError

__all__ = ["Plan", "Run", "Summary", "discover", "load", "plan"]

TaskName = Literal["continuous", "binary", "multiclass", "count", "ordinal"]


def discover(
    data: Any,
    text: str | None = None,
    target: str | None = None,
    *,
    group: str | None = None,
    text_b: str | None = None,
    task: TaskName | None = None,
    positive: str | float | None = None,
    levels: Sequence[str] | None = None,
    weight: str | None = None,
    exposure: str | None = None,
    controls: str | Sequence[str] | None = None,
    fixed_effects: str | Sequence[str] | None = None,
    strata: str | None = None,
    hypotheses: str | Sequence[str] | None = None,
    gold: str | os.PathLike[str] | None = None,
    context: str | None = None,
    n_hypotheses: int = 20,
    saes: Sequence[str] | None = None,
    embedder: str | None = None,
    interpreter: str | None = None,
    annotator: str | None = None,
    max_cost: float | None = None,
    confirm: Literal["ask", "never", "plan"] = "ask",
    local: bool = False,
    frozen: bool = False,
    batch: bool = False,
    wait: bool = False,
    seed: int = 0,
    split: str | Sequence[float] | None = None,
    out: str | os.PathLike[str] | None = None,
    options: Mapping[str, Any] | None = None,
    progress: bool = True,
) -> Run:
    """Find what texts with high and low targets say differently, and test it on other texts.

    The same call again reuses what stands: after Ctrl-C or an error it goes on where it was, and
    no answer of a model is paid for twice.

    Parameters
    ----------
    data : data frame, mapping of columns, Arrow table, or path
        pandas, polars, anything with ``__arrow_c_stream__`` (pyarrow, DuckDB), a mapping of names
        to columns, or a file: CSV, TSV, JSON lines, JSON, Parquet or Arrow, also packed as .gz or
        .zst. Of a data frame, the named columns are written to a file beside the run directory.
    text : str, optional
        Column of the texts; by default the one called text.
    target : str, optional
        Column of what is to be explained: numbers, two values, or up to 20 words. By default the
        one called target or label.
    group : str, optional
        Column whose equal values stay on one side of the split, such as an author; each is one
        cluster in the tests.
    text_b : str, optional
        Column of the other text of each row: pairs, of which the target says which one won, or by
        how much.
    task : {"continuous", "binary", "multiclass", "count", "ordinal"}, optional
        What the target is; by default its values decide between the first three. "multiclass": each
        class against all others; "count": Poisson regression; "ordinal": proportional odds.
    positive : str or number, optional
        This value of the target against all others.
    levels : sequence of str, optional
        The words of an ordered target, lowest first; they count as 1, 2, ... unless the task is
        ordinal.
    weight : str, optional
        Column of the weight of each row, 0 or more.
    exposure : str, optional
        Column of what counts are divided by, such as days; above 0.
    controls : str or sequence of str, optional
        Columns that are held constant: numbers as they are, words and flags as categories.
    fixed_effects : str or sequence of str, optional
        Columns held constant whose every value has a level of its own, however many there are. The
        group may be one of them.
    strata : str, optional
        Column within whose values neurons are chosen, and between which effects are compared.
    hypotheses : str or sequence of str, optional
        Hypotheses of your own, as in "mentions a refund", tested beside those that are found;
        alone with ``n_hypotheses=0``.
    gold : path, optional
        A file of annotations by hand of some held-out texts, by which effects are corrected for the
        annotator's errors; ``hypothesaes gold RUN`` draws the texts.
    context : str, optional
        What the texts are, for the interpreter, as in "Restaurant reviews on Yelp".
    n_hypotheses : int
        How many hypotheses are found and tested, at most.
    saes : sequence of str, optional
        Autoencoders, neurons:active per text, as in ``["256:8"]``; by default by the number of
        texts.
    embedder, interpreter, annotator : str, optional
        Name of the model that embeds, words and annotates; "tfidf-svd" and "phrases" are the
        embedded ones, which ask nobody, and so is "meaning" where a sentence model embeds. By
        default models of OpenAI's if there is a key or server in the environment, else the
        embedded ones.
    max_cost : float, optional
        Dollars that the run may spend; then `BudgetError`, and the same call with a higher ceiling
        goes on.
    confirm : {"ask", "never", "plan"}
        What happens before a model that costs money, or that is on another computer, is asked.
        "ask": the costs are shown, and you say yes or no; where nobody can be asked, `OptionError`.
        "never": it is asked. "plan": it is not. After a no, and with "plan", the run that is
        returned has no results; its `plan` says what is left, and ``plan.run()`` does it.
    local : bool
        Ask nothing of other computers.
    frozen : bool
        Use only answers that are kept from earlier runs.
    batch : bool
        Ask by batch jobs, at half the price and within a day. `PendingError` while they are under
        way: the same call fetches the answers.
    wait : bool
        Wait for batch jobs instead.
    seed : int
        Everything random follows from it.
    split : str or sequence of 3 floats, optional
        Shares of discover, validation and held-out texts, as in "70/15/15".
    out : path, optional
        The run directory; by default one below ``runs``, the latest on the same data.
    options : mapping, optional
        Any option of ``docs/options.toml`` by its name, as in ``{"evaluate.alpha": 0.01}``.
    progress : bool
        Show how it goes.

    Returns
    -------
    Run
    """
    # The parameters, and nothing else so far.
    return carry_out(_request.make(**locals()))


def plan(
    data: Any,
    text: str | None = None,
    target: str | None = None,
    *,
    group: str | None = None,
    text_b: str | None = None,
    task: TaskName | None = None,
    positive: str | float | None = None,
    levels: Sequence[str] | None = None,
    weight: str | None = None,
    exposure: str | None = None,
    controls: str | Sequence[str] | None = None,
    fixed_effects: str | Sequence[str] | None = None,
    strata: str | None = None,
    hypotheses: str | Sequence[str] | None = None,
    gold: str | os.PathLike[str] | None = None,
    context: str | None = None,
    n_hypotheses: int = 20,
    saes: Sequence[str] | None = None,
    embedder: str | None = None,
    interpreter: str | None = None,
    annotator: str | None = None,
    max_cost: float | None = None,
    confirm: Literal["ask", "never", "plan"] = "ask",
    local: bool = False,
    frozen: bool = False,
    batch: bool = False,
    wait: bool = False,
    seed: int = 0,
    split: str | Sequence[float] | None = None,
    out: str | os.PathLike[str] | None = None,
    options: Mapping[str, Any] | None = None,
    progress: bool = True,
) -> Plan:
    """Say what `discover` would do with these arguments, and what it would cost.

    Asks nothing of anybody, and writes nothing but the data frame. ``plan(...).run()`` does it.

    Parameters
    ----------
    data, text, target, group, ...
        As those of `discover`. `confirm` changes nothing: who has the plan need not be asked.

    Returns
    -------
    Plan
    """
    return Plan(_request.make(**locals()), carry_out)


def load(folder: str | os.PathLike[str], *, frames: str | None = None) -> Run:
    """Read a run that was done before, here or on the command line.

    Parameters
    ----------
    folder : path
        A run directory, such as ``runs/reviews-1``.
    frames : {"pandas", "polars", "table"}, optional
        The kind of data frame that results come in; by default pandas if it is installed, then
        polars. "table" is the package's own, with ``__arrow_c_stream__``.

    Returns
    -------
    Run

    Raises
    ------
    MissingFileError
        There is no such folder.
    RunError
        It is no run directory.
    """
    if frames not in (None, "pandas", "polars", "table"):
        raise OptionError(f"`frames` is `{frames}`: choose pandas, polars or table")
    path = _folder.find(os.path.expanduser(os.fspath(folder)))
    return Run(Request(path, kind=_frames.kind(frames)))
