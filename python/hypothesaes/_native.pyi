"""What the Rust library does for the package. For the package's own modules: its users find the
same behind `hypothesaes.sae`, `hypothesaes.select_neurons` and so on.

Every function that takes a `watch` releases the GIL, looks for Ctrl-C twenty times a second (then
`KeyboardInterrupt`), and tells the watch how it goes. Options that are a `str` are JSON objects.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, final, type_check_only

import numpy as np
import numpy.typing as npt

__version__: str
__all__ = [
    "Autoencoder",
    "Client",
    "Table",
    "__version__",
    "adjust",
    "annotate_more",
    "answers_file",
    "auc",
    "average_precision",
    "cross_fitted",
    "evaluate",
    "export",
    "export_text",
    "hash_rows",
    "load",
    "locate",
    "match",
    "mean_difference",
    "plan",
    "regress",
    "run",
    "select",
    "sentence_vectors",
    "tfidf_svd",
    "train",
    "wordings",
    "yes_no",
]

@type_check_only
class Watch(Protocol):
    """Told how a piece of work goes. An exception in it ends the work."""

    def begin(self, stage: str, total: int, unit: str) -> None: ...
    def advance(self, done: int) -> None: ...
    def say(self, line: str) -> None: ...
    def end(self, summary: str) -> None: ...
    def asking(self, in_flight: int, spent: float | None, held: str | None, wait: float) -> None: ...

# --- autoencoders ---------------------------------------------------------------------------------

@final
class Autoencoder:
    """A trained autoencoder. Does not change."""

    @property
    def n_neurons(self) -> int: ...
    @property
    def k(self) -> int: ...
    @property
    def dim(self) -> int: ...
    @property
    def threshold(self) -> float | None: ...
    @property
    def options(self) -> str:
        """Training options, as `train` takes them."""

    @property
    def history(self) -> str:
        """JSON: a list of {epoch, train_loss, train_fvu, validation_fvu, n_dead}."""

    @property
    def best_epoch(self) -> int: ...
    @property
    def data_hash(self) -> str:
        """`hash_rows` of the rows it was trained on; empty if it was trained elsewhere."""

    def encode(
        self, x: npt.NDArray[Any], watch: Watch | None = None
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        """`x`: n x d, float32 or float64, any strides. CSR: (indptr, indices, data) of n x m."""

    def activations(self, x: npt.NDArray[Any], watch: Watch | None = None) -> npt.NDArray[np.float32]:
        """The same, dense n x m."""

    def decode(
        self,
        indptr: npt.NDArray[np.int64],
        indices: npt.NDArray[np.int32],
        data: npt.NDArray[np.float32],
    ) -> npt.NDArray[np.float32]: ...
    def reconstruction(self, x: npt.NDArray[Any], watch: Watch | None = None) -> str:
        """JSON: {n_rows, fvu, squared_error, cosine, mean_active, n_silent}."""

    def health(self, x: npt.NDArray[Any], watch: Watch | None = None) -> str:
        """JSON: {n_rows, n_neurons, n_alive, n_dead, n_ultra_dense, mean_active, densities,
        n_redundant, stability, neurons: [{density, nearest_cosine, nearest, twin_cosine}]}."""

    def judged(self, x: npt.NDArray[Any], watch: Watch | None = None) -> Autoencoder:
        """The same autoencoder, told the rows it is for, if it was trained elsewhere: after that it
        knows what its errors are measured in. One trained here is returned as it is."""

    def weights(self) -> dict[str, npt.NDArray[np.float32]]:
        """Copies: encoder (m x d), decoder (m x d), input_bias (d), neuron_bias (m)."""

    def save(self, path: str) -> None:
        """Writes a safetensors checkpoint, whole or not at all, whatever the file's name. One read
        from a `.pt` and not `judged` is written as that file again."""

def train(
    x: npt.NDArray[Any],
    validation: npt.NDArray[Any] | None,
    options: str,
    watch: Watch | None = None,
) -> Autoencoder:
    """`options`: n_neurons, k, batch_top_k, prefixes, multi_k, multi_coef, aux_k, aux_coef,
    batch_size, learning_rate, warmup, decay, max_epochs, patience, clip_norm, dead_after (rows),
    seed; what is left out has its default. `x` is read where it lies, not copied. The watch is
    told `begin("sae", max_epochs, "epochs")` and an `advance(1)` per epoch."""

def load(path: str) -> list[Autoencoder]:
    """The autoencoders of a checkpoint, or the one of a `.pt` file of the Python package 0.2.0 to
    2.0.1 (read without running anything in it); told apart by content."""

def hash_rows(x: npt.NDArray[Any], validation: npt.NDArray[Any] | None = None) -> str:
    """Names the rows of a training by their content as float32."""

# --- selection and statistics ---------------------------------------------------------------------

def select(
    z: npt.NDArray[Any],
    y: npt.NDArray[np.float64],
    n: int,
    method: str,
    classification: bool,
    alpha: float | None = None,
    n_top: int | None = None,
    watch: Watch | None = None,
) -> tuple[list[int], list[float], float | None, list[str]]:
    """`z`: n_texts x m, dense, float32 or float64; `method`: lasso, correlation, separation_score.
    `n_top`: separation_score compares the targets of at most so many of the texts that fire a
    neuron most (ties by row) with those that do not fire it; None: all that fire it. `alpha`: one
    penalty, in the scale of scikit-learn, instead of a search. Neurons, raw scores, the penalty
    used (scikit-learn's scale), and messages (why there are fewer than `n`, ...). A neuron that
    never or always fires is never selected."""

def regress(
    columns: npt.NDArray[np.float64], y: npt.NDArray[np.float64], model: str, level: float
) -> str:
    """`columns`: p x n (one row per column of the design, no intercept); `model`: ols or logit.
    JSON: {terms: [{status, estimate: {value, std_error, statistic, df, p_value, conf_low,
    conf_high}, variance, hc3, classical, classical_value, classical_p} | {status, of}],
    fitted: [n], penalised, r2, log_likelihood, null_log_likelihood}. `classical*` and `fitted` are
    of the fit without a penalty, where it has a solution. The first term is the intercept; `status`
    is fitted, constant or aliased (then `of` names the columns that make it up), as a
    column that cannot be fitted is left out (traps 32, 33)."""

def mean_difference(
    a: npt.NDArray[np.float64], b: npt.NDArray[np.float64], level: float
) -> str:
    """Mean of a minus mean of b. JSON: {value, std_error, statistic, df, p_value, conf_low,
    conf_high, source} (Welch, or Student where that is the larger error), and `pooled_p`, the
    p-value of Student's t with equal variances; null where it cannot be told."""

def adjust(p: Sequence[float | None]) -> dict[str, list[float | None]]:
    """holm, bh, bonferroni."""

def auc(y: npt.NDArray[np.float64], score: npt.NDArray[np.float64], level: float) -> tuple[float, float, float] | None:
    """Value, conf_low, conf_high."""

def average_precision(y: npt.NDArray[np.float64], score: npt.NDArray[np.float64]) -> float | None: ...
def cross_fitted(
    columns: npt.NDArray[np.float64], y: npt.NDArray[np.float64], model: str, n_folds: int, seed: int, level: float
) -> tuple[str, float, float, float] | None:
    """("r2" | "auroc", value, conf_low, conf_high) of predictions by models fitted without the
    row; columns as in `regress`."""

def match(similarity: npt.NDArray[np.float64]) -> list[int]:
    """Hungarian matching: the column of each row of an n x n matrix with the largest sum."""

# --- language models ------------------------------------------------------------------------------

@final
class Client:
    """Asks one server, paced to its limits; answers are on disk before they are used. May be
    used from several threads (they take turns) and processes."""

    def __new__(
        cls, base_url: str, key: str | None, answers: str | None, options: str
    ) -> Client:
        """`answers`: file of answers (SQLite), None: forgotten with the process. `options`:
        timeout, patience, max_concurrent, max_cost, rpm, tpm, rpd, tpd, frozen."""

    @property
    def base_url(self) -> str: ...
    @property
    def host(self) -> str: ...
    @property
    def is_here(self) -> bool:
        """Whether the server is this computer."""

    @property
    def spent(self) -> float | None:
        """Dollars since the client was made; None if a price is unknown."""

    def complete(
        self,
        prompts: Sequence[tuple[str, str]],
        keys: Sequence[Sequence[str]],
        model: str,
        options: str,
        stage: str,
        watch: Watch | None = None,
    ) -> list[tuple[str | None, str | None]]:
        """`prompts`: (system, user), system may be empty. `keys`: what an answer is kept under,
        beside the prompt, server, model and options; an answer that is kept is not asked for
        again. `options`: temperature, effort (minimal, low, medium, high, ...), max_output,
        extra (an object merged into the request's body). Answers (thoughts removed; never empty),
        or None and why."""

    def completed(
        self,
        prompts: Sequence[tuple[str, str]],
        keys: Sequence[Sequence[str]],
        model: str,
        options: str,
    ) -> list[str | None]:
        """The answers that `complete` would not ask for, as they are kept; None for the others."""

    def annotate(
        self,
        texts: Sequence[str],
        concepts: Sequence[str],
        wanted: Sequence[Sequence[int]] | None,
        model: str,
        options: str,
        stage: str,
        watch: Watch | None = None,
    ) -> tuple[npt.NDArray[np.int8], list[tuple[int, int, str]]]:
        """`wanted`: for each text the indices of the concepts that are asked; None: all.
        `options`: as the section `annotate` of the options file (effort, temperature, layout
        stacked | economy | single, stack, max_words, calibrate, seed, ...).
        Concepts x texts: 1, 0, -1 missing, -2 not wanted; and (concept, text, why) for the missing."""

    def annotated(
        self, texts: Sequence[str], concepts: Sequence[str], wanted: Sequence[Sequence[int]] | None,
        model: str, options: str,
    ) -> npt.NDArray[np.int8]:
        """The same from kept answers alone, asking nothing: -1 where there is none."""

    def embed(
        self, texts: Sequence[str], model: str, dimensions: int | None, watch: Watch | None = None
    ) -> tuple[npt.NDArray[np.float32], list[int]]:
        """n x d, and the rows that have no vector (zeros there)."""

    def put_vectors(
        self, texts: Sequence[str], vectors: npt.NDArray[np.float32], model: str
    ) -> None:
        """Keeps vectors (n x d) that were had elsewhere, so that `embed` does not ask for them."""

    def get(self, keys: Sequence[Sequence[str]]) -> list[str | None]:
        """Notes kept under keys of one's own, such as imported answers."""

    def put(self, items: Sequence[tuple[Sequence[str], str]]) -> None: ...

def yes_no(answer: str) -> bool | None:
    """What a model's answer says, thoughts left out: `**Yes**`, `{"answer": "no"}`, ...; None for
    neither."""

def wordings(answer: str, n: int) -> list[str]:
    """The first `n` wordings in a model's answer, without thoughts, dashes, quotation marks."""

def tfidf_svd(
    texts: Sequence[str], dim: int | None = None, watch: Watch | None = None
) -> npt.NDArray[np.float32]:
    """Vectors of the embedded embedder, fitted on the texts themselves: n x at most `dim`."""

def sentence_vectors(
    texts: Sequence[str], model: str, prefix: str | None, kept_in: str, watch: Watch | None = None
) -> npt.NDArray[np.float32] | None:
    """Vectors of a sentence model that is found by its folder or name; None for a name without owner
    that is not in the hub's cache. They are kept in the folder `kept_in`."""

# --- runs -----------------------------------------------------------------------------------------

def run(
    folder: str,
    assignments: Sequence[str],
    last: str,
    local: bool,
    frozen: bool,
    batch: bool,
    wait: bool,
    approve: Callable[[str], bool] | None,
    watch: Watch | None = None,
) -> str:
    """Runs the stages up to `last` ("report": all) in the run directory. `assignments`:
    "section.key=value", as `-o` on the command line; if none names data (`data.path`), they are
    over the options that the folder has. `approve` is given the estimate (JSON, as `hypothesaes run --json` has it) before
    anything is asked of a model; None: yes. What it raises comes out of here. JSON: the outcome, as `hypothesaes run --json`."""

def plan(folder: str, assignments: Sequence[str], last: str, local: bool, frozen: bool, batch: bool) -> str:
    """JSON: the plan, as `hypothesaes run --dry-run --json`. `folder` need not exist."""

def locate(root: str, assignments: Sequence[str]) -> str:
    """The run directory under `root` with this input, or a new name."""

def annotate_more(
    folder: str,
    concepts: Sequence[str],
    texts: Sequence[str] | None,
    approve: Callable[[str], bool] | None,
    watch: Watch | None = None,
) -> npt.NDArray[np.int8]:
    """Concepts x texts (1, 0, -1 missing) by the annotator of a run directory; without texts,
    its held-out ones in the order of its rows. `approve` as in `run`."""

def evaluate(
    folder: str,
    annotations: npt.NDArray[np.int8],
    seed: int,
    options: str,
) -> str:
    """Tests `annotations`, concepts x the held-out texts of the run directory as `annotate_more` has
    them, as the run tested its own; `options`: as the section `evaluate` of the options file. JSON: {hypotheses, effects, models: lists of
    rows as the tables of a run have them, messages}."""

def export(
    folder: str, tables: Sequence[str], formats: Sequence[str], out: str, is_file: bool, excel: bool
) -> tuple[list[str], list[str]]:
    """Writes tables of a run directory, as `hypothesaes export`: csv, parquet, markdown, latex, xlsx.
    No tables: those of results. `out`: a folder, or the one file. The files, and what there is to know
    of them."""

def export_text(folder: str, table: str, format: str) -> str:
    """One table as csv, markdown or latex."""

def answers_file() -> str:
    """Where answers are kept: HYPOTHESAES_CACHE, else the user's cache folder."""

# --- tables ---------------------------------------------------------------------------------------

@final
class Table:
    """Columns of equal length. `__arrow_c_stream__` hands them over without a copy."""

    @staticmethod
    def read(path: str) -> Table:
        """A Parquet file."""

    @staticmethod
    def from_stream(obj: Any) -> Table:
        """Anything with `__arrow_c_stream__`."""

    @staticmethod
    def from_columns(names: Sequence[str], columns: Sequence[Sequence[Any]]) -> Table:
        """Each column all numbers (bool, int, float), or all text; None is missing."""

    @property
    def names(self) -> list[str]: ...
    def __getitem__(self, name: str, /) -> list[Any]: ...
    def __len__(self) -> int: ...
    def column(self, name: str) -> list[Any]:
        """Python values; None is missing."""

    def select(self, names: Sequence[str]) -> Table: ...
    def write(self, path: str) -> str:
        """Writes Parquet, whole or not at all; the same columns give the same bytes. A hash of them."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...
