"""A run: what it found, as data frames; and how it is carried out."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Any, Literal

from . import _charts, _evidence, _folder, _frames, _native, _own, _page, _render, _summary
from ._charts import Plots
from ._plan import Plan, consent
from ._request import Request
from ._summary import Summary
from .errors import OptionError
from .progress import Bar


class Run:
    """A run directory and what it holds.

    Made by `discover` and `load`. The tables are read when they are asked for, as data frames of
    the kind that was given; `dictionary` says what each of their columns means. A run that is not
    finished raises `RunError` for what it has not come to.

    Attributes
    ----------
    folder : str
        The run directory.
    """

    def __init__(self, request: Request, stages: Sequence[Mapping[str, Any]] = ()) -> None:
        self.folder = request.folder
        self._request = request
        self._reports = stages
        self._at = _folder.Folder(request.folder, request.kind)

    @property
    def hypotheses(self) -> Any:
        """A row per hypothesis, in order of selection: wording, effects, p-values, prevalence; with
        several classes, class by class. `origin` tells your own from those that were found."""
        return self._at.frame("hypotheses")

    @property
    def effects(self) -> Any:
        """The same effects in long form: a row per hypothesis and model."""
        return self._at.frame("effects")

    @property
    def models(self) -> Any:
        """How well all hypotheses together tell the target, cross-fitted and in-sample; beside them
        controls, neurons and embeddings (`predictors`)."""
        return self._at.frame("models")

    @property
    def overlap(self) -> Any:
        """How far two hypotheses are true of the same texts."""
        return self._at.frame("overlap")

    @property
    def strata(self) -> Any:
        """Every hypothesis within every stratum; no rows without strata."""
        return self._at.frame("strata")

    @property
    def subgroups(self) -> Any:
        """Every hypothesis among short and long texts, and within strata and categories; no rows where
        there are too few texts."""
        return self._at.frame("subgroups")

    @property
    def deciles(self) -> Any:
        """Mean prediction by all hypotheses and mean target, by tenths of the held-out texts."""
        return self._at.frame("deciles")

    @property
    def roc(self) -> Any:
        """How many of a class are found, and how many others with them; no rows but for classes."""
        return self._at.frame("roc")

    @property
    def placebo(self) -> Any:
        """How many neurons hold on shuffled targets; no rows if none were tried."""
        return self._at.frame("placebo")

    @property
    def leakage(self) -> Any:
        """Held-out texts that nearly stand in another part too; no rows if there are none."""
        return self._at.frame("leakage")

    @property
    def gold(self) -> Any:
        """Each hypothesis beside annotations by hand; no rows without them."""
        return self._at.frame("gold")

    @property
    def rows(self) -> Any:
        """The texts with `row_id` (0-based row of the input), `split`, `group` and `target`; of
        pairs `text_b` too, and whatever is held constant or weighs."""
        return self._at.frame("rows")

    @property
    def annotations(self) -> Any:
        """Which hypothesis is true of which held-out text: a row for each of both. Of pairs, `side`
        is the text: a, the first, or b."""
        return self._at.frame("annotations")

    @property
    def activations(self) -> Any:
        """Which neuron fires on which text, and how strongly: a row for each that is not 0, of
        pairs with the `side` as in `annotations`."""
        return self._at.frame("activations")

    @property
    def neurons(self) -> Any:
        """Every neuron: density, scores against the target, rank in the selection."""
        return self._at.frame("neurons")

    @property
    def neuron_health(self) -> Any:
        """Every neuron: how often it fires, and which other is like it."""
        return self._at.frame("neuron_health")

    @property
    def fidelity(self) -> Any:
        """How well each wording matches its neuron, on validation texts."""
        return self._at.frame("fidelity")

    @property
    def wordings(self) -> Any:
        """All wordings that a language model proposed for each neuron."""
        return self._at.frame("wordings")

    @property
    def calibration(self) -> Any:
        """How far a language model answers alike when several things are asked at once."""
        return self._at.frame("calibration")

    @property
    def saes(self) -> Any:
        """The autoencoders: size, dead neurons, explained variance."""
        return self._at.frame("saes")

    @property
    def training(self) -> Any:
        """Their training, by epoch."""
        return self._at.frame("training")

    @property
    def signal(self) -> Any:
        """What a ridge regression on the embeddings can tell of the target at all."""
        return self._at.frame("signal")

    @property
    def dropped(self) -> Any:
        """Rows that were left out, and why; duplicates that were kept."""
        return self._at.frame("dropped")

    @property
    def dictionary(self) -> Any:
        """Every column of every table: type, unit, meaning."""
        return self._at.frame("dictionary")

    @property
    def cost(self) -> Any:
        """What was asked of models and spent, by stage and model; no rows if nothing was asked."""
        return self._at.cost()

    @property
    def stages(self) -> Any:
        """The finished stages with their `seconds`; whether the call that gave this run `reused`
        them, and `again_because`: why it did them anew."""
        told = {report["stage"]: report for report in self._reports}
        done = self._at.stages()
        return _frames.frame(
            {
                "stage": list(done),
                "seconds": list(done.values()),
                "reused": [told.get(stage, {}).get("reused") for stage in done],
                "again_because": [told.get(stage, {}).get("again_because") for stage in done],
            },
            self._request.kind,
        )

    @property
    def own(self) -> Any:
        """The run's hypotheses and those that `test` tested since, adjusted together; no rows if
        none were. `is_exploratory` tells them apart."""
        return self._frame(_own.tested(self._at))

    @property
    def plan(self) -> Plan:
        """What is left to do, and what it would cost; ``plan.run()`` does it."""
        return Plan(self._request, carry_out)

    def summary(self) -> Summary:
        """The answer in the manner of a regression table: text, HTML, LaTeX, Markdown."""
        return Summary(self._at)

    def examples(
        self,
        hypothesis_id: str,
        kind: Literal["top", "present", "absent", "missing", "random"] = "top",
        n: int = 10,
        *,
        seed: int = 0,
    ) -> Any:
        """Show texts of which a hypothesis is true, or not.

        Parameters
        ----------
        hypothesis_id : str
            Such as "H01".
        kind : {"top", "present", "absent", "missing", "random"}
            "top": the texts of all parts that fire its neuron most, strongest first. The others
            draw from the held-out texts: those of which it is true, is not true, could not be
            told, or any.
        n : int
            Texts, at most.
        seed : int
            The draw follows from it.

        Returns
        -------
        data frame
            `row_id`, `split`, `target` (0 or 1 if binary), `text`, `annotation` (1, 0 or missing),
            and for "top" `activation`. Of pairs, `side` (a or b) tells which of both it is.
        """
        return _evidence.examples(self._at, hypothesis_id, kind, n, seed)

    def test(
        self,
        hypotheses: Sequence[str],
        *,
        confirm: Literal["ask", "never"] | None = None,
        progress: bool = True,
    ) -> Any:
        """Test hypotheses of your own on the held-out texts, beside those of the run.

        They are annotated as the run's were, within its `llm.max_cost`; the embedded annotator
        takes wordings such as ``mentions "refund" or "money back"``. The held-out texts were looked
        at before, so that this is exploratory: p-values are adjusted over the hypotheses of the run
        and all of your own that were ever tested on these texts, also by other processes, which
        the run directory keeps.

        They are tested as the run's are: beside its controls, by its groups, weights and strata, with
        several classes on each.

        Parameters
        ----------
        hypotheses : sequence of str
            What a text does, as in "mentions a refund".
        confirm : {"ask", "never"}, optional
            Whether to show the cost and ask before a model is; by default as for the run.
        progress : bool
            Show how it goes.

        Returns
        -------
        data frame
            A row per hypothesis, and class if there are several, with the columns of `hypotheses`, then `source` ("user") and
            `is_exploratory` (true).
        """
        with _bar(self.folder, progress) as bar:
            return self._frame(_own.test(self._at, hypotheses, self._approval(confirm), bar))

    def annotate(
        self,
        new_data: Any,
        text: str | None = None,
        hypotheses: Sequence[str] | None = None,
        *,
        confirm: Literal["ask", "never"] | None = None,
        progress: bool = True,
    ) -> Any:
        """Say of new texts which hypotheses are true of them, with the run's annotator.

        Parameters
        ----------
        new_data : data frame, mapping of columns, Arrow table, or sequence of str
            The texts, with whatever other columns.
        text : str, optional
            Column of the texts; by default that of the run, else the one called text.
        hypotheses : sequence of str, optional
            Such as ``["H01", "H03"]``; by default all of the run.
        confirm : {"ask", "never"}, optional
            As in `test`.
        progress : bool
            Show how it goes.

        Returns
        -------
        data frame
            The data unchanged, rows in the order given, with columns `h01`, `h02`, ... to the
            right: 1, 0, or missing (also where there is no text). pandas has integers where
            nothing is missing, else floats with NaN.
        """
        with _bar(self.folder, progress) as bar:
            approve = self._approval(confirm)
            return _evidence.annotate(self._at, new_data, text, hypotheses, approve, bar)

    @property
    def plot(self) -> Plots:
        """The charts, as in ``run.plot.forest()``: each shows itself in a notebook, and is saved by
        ``.save("forest.svg")``."""
        return Plots(self.folder)

    def report(self, path: str | os.PathLike[str] | None = None, texts: bool = True) -> Path:
        """Write the report: one page that answers and shows, and fetches nothing.

        Parameters
        ----------
        path : path, optional
            The file; by default ``report.html`` of the run directory, or one beside it where that
            differs in `texts`.
        texts : bool
            Whether texts of the data are in it. Without, it can be shared where they cannot.

        Returns
        -------
        Path
            Where it lies.
        """
        return _page.write(self._at, path, texts)

    def to_latex(self, path: str | os.PathLike[str] | None = None, table: str | None = None) -> str:
        """Write the summary, or a table, for the LaTeX package booktabs.

        Parameters
        ----------
        path : path, optional
            The file; by default none is written.
        table : str, optional
            A table, such as "hypotheses" or "models", in the shape of a paper: the columns that
            matter, with a caption, a label and notes. By default the summary.

        Returns
        -------
        str
            What was written.
        """
        return self._text("latex", path, table)

    def to_markdown(
        self, path: str | os.PathLike[str] | None = None, table: str | None = None
    ) -> str:
        """Write the summary, or a table, as Markdown; parameters as those of `to_latex`."""
        return self._text("markdown", path, table)

    def to_csv(
        self,
        folder: str | os.PathLike[str],
        tables: Sequence[str] | None = None,
        *,
        excel: bool = False,
    ) -> None:
        """Write tables to a folder, as CSV.

        Parameters
        ----------
        folder : path
            Where to; made if need be.
        tables : sequence of str, optional
            By default all but the large ones with a row per text.
        excel : bool
            Begin the files with the mark by which Excel knows UTF-8.
        """
        names = tables
        if names is None:
            names = sorted(path.stem for path in Path(self.folder, "tables").glob("*.csv"))
        out = os.path.expanduser(os.fspath(folder))
        _native.export(self.folder, names, ["csv"], out, False, excel)

    def to_excel(self, path: str | os.PathLike[str], tables: Sequence[str] | None = None) -> None:
        """Write tables as a workbook for Excel, a sheet for each and one for what columns mean.

        Parameters
        ----------
        path : path
            The file, as in ``"paper.xlsx"``.
        tables : sequence of str, optional
            By default those of results, which have no texts of the data.
        """
        out = os.path.expanduser(os.fspath(path))
        _, notes = _native.export(self.folder, tables or [], ["xlsx"], out, True, False)
        for note in notes:
            warnings.warn(note, stacklevel=2)

    def __repr__(self) -> str:
        return f"Run in {self.folder}\n{_render.plain(self._headline())}"

    def _repr_html_(self) -> str:
        if self._at.is_done("evaluate"):
            return _charts.picture(self.folder, "forest") + self.summary().as_html()
        folder, headline = escape(self.folder), escape(_render.plain(self._headline()))
        return f"<p>Run in <code>{folder}</code></p><p>{headline}</p>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        bundle = {"text/html": self._repr_html_(), "text/plain": repr(self)}
        return _charts.chosen(bundle, include, exclude)

    def _text(self, kind: str, path: str | os.PathLike[str] | None, table: str | None) -> str:
        if table is not None:
            text = _native.export_text(self.folder, table, kind)
        else:
            summary = self.summary()
            text = summary.as_latex() if kind == "latex" else summary.as_markdown()
        if path is not None:
            _charts.write(path, text.encode())
        return text

    def _approval(self, confirm: str | None) -> Callable[[str], bool]:
        if confirm not in (None, "ask", "never"):
            raise OptionError(f"`confirm` is `{confirm}`: choose ask or never")
        how = confirm or ("never" if self._request.confirm == "never" else "ask")
        return lambda told: consent(json.loads(told), how)

    def _headline(self) -> str:
        if self._at.is_done("evaluate"):
            return _summary.headline(self._at)
        done = ", ".join(self._at.stages()) or "nothing"
        return f"Not finished; done: {done}. `plan` says what is left, `plan.run()` does it."

    def _frame(self, rows: Sequence[Mapping[str, Any]]) -> Any:
        names = rows[0] if rows else (*self._at.table("hypotheses").names, *_own.MARKS)
        columns = {name: [row[name] for row in rows] for name in names}
        return self._at.framed(columns, "hypotheses")


def carry_out(request: Request) -> Run:
    def approve(told: str) -> bool:
        if consent(json.loads(told), request.confirm):
            return True
        raise _Declined

    try:
        with _bar(request.folder, request.progress) as bar:
            told = _native.run(
                request.folder,
                request.assignments,
                "report",
                request.local,
                request.frozen,
                request.batch,
                request.wait,
                approve,
                bar,
            )
    except _Declined:
        return Run(request)
    outcome = json.loads(told)
    if outcome["too_many_missing"]:
        missing, total = outcome["too_many_missing"]
        warnings.warn(
            f"{missing:,} of {total:,} annotations are missing, more than `llm.max_failed` allows: "
            "the same call asks for them again",
            stacklevel=3,
        )
    return Run(request, outcome["stages"])


class _Declined(Exception):
    """The user does not want it asked."""


@contextmanager
def _bar(folder: str, progress: bool) -> Iterator[Bar]:
    bar = Bar(show=progress)
    try:
        yield bar
    except KeyboardInterrupt:
        bar.say(f"stopped; what is finished is kept in `{folder}`, the same call goes on")
        raise
    finally:
        bar.close()
