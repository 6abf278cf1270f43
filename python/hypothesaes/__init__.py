"""Hypotheses from labelled texts: sparse autoencoders on embeddings find what tells the texts
apart, language models put it into words, and held-out texts test it.

`discover` does all of it on a data frame or file. The functions of the package `hypothesaes` on
PyPI, versions 0.2.0 and 2.0.1, are here under their names too: `train_sae`, `generate_hypotheses`,
`evaluate_hypotheses` and so on.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from . import _native
from .errors import (
    BudgetError,
    ColumnError,
    DataError,
    FileError,
    HypothesaesError,
    InternalError,
    KeyRefusedError,
    MissingAnswersError,
    MissingFileError,
    OptionError,
    PendingError,
    RunError,
    ServerError,
)
from .progress import display as display

# Function and module have one name. The function wins, as in the original, if it comes second.
from .select_neurons import select_neurons

if TYPE_CHECKING:
    from .annotate import annotate_texts_with_concepts
    from .embedding import get_local_embeddings, get_openai_embeddings
    from .evaluation import score_hypotheses
    from .interpret_neurons import (
        InterpretConfig,
        LLMConfig,
        NeuronInterpreter,
        SamplingConfig,
        ScoringConfig,
    )
    from .quickstart import evaluate_hypotheses, generate_hypotheses, interpret_sae, train_sae
    from .run import Run, discover, load, plan
    from .sae import SparseAutoencoder, get_multiple_sae_activations, load_model
    from .utils import get_text_for_printing

__version__ = _native.__version__

_WHERE = {
    "annotate_texts_with_concepts": "annotate",
    "get_local_embeddings": "embedding",
    "get_openai_embeddings": "embedding",
    "score_hypotheses": "evaluation",
    "InterpretConfig": "interpret_neurons",
    "LLMConfig": "interpret_neurons",
    "NeuronInterpreter": "interpret_neurons",
    "SamplingConfig": "interpret_neurons",
    "ScoringConfig": "interpret_neurons",
    "evaluate_hypotheses": "quickstart",
    "generate_hypotheses": "quickstart",
    "interpret_sae": "quickstart",
    "train_sae": "quickstart",
    "Run": "run",
    "discover": "run",
    "load": "run",
    "plan": "run",
    "SparseAutoencoder": "sae",
    "get_multiple_sae_activations": "sae",
    "load_model": "sae",
    "get_text_for_printing": "utils",
}
"""Module of every name that is imported at its first use, so that the import costs little."""

_MODULES = (*dict.fromkeys(_WHERE.values()), "llm_api", "migrate")
"""Modules that, as in the original, need no import of their own after that of the package."""

# Not `display`: with `from hypothesaes import *` it would take the place of the notebook's own.
__all__ = [
    "BudgetError",
    "ColumnError",
    "DataError",
    "FileError",
    "HypothesaesError",
    "InternalError",
    "InterpretConfig",
    "KeyRefusedError",
    "LLMConfig",
    "MissingAnswersError",
    "MissingFileError",
    "NeuronInterpreter",
    "OptionError",
    "PendingError",
    "Run",
    "RunError",
    "SamplingConfig",
    "ScoringConfig",
    "ServerError",
    "SparseAutoencoder",
    "__version__",
    "annotate_texts_with_concepts",
    "discover",
    "evaluate_hypotheses",
    "generate_hypotheses",
    "get_local_embeddings",
    "get_multiple_sae_activations",
    "get_openai_embeddings",
    "get_text_for_printing",
    "interpret_sae",
    "load",
    "load_model",
    "plan",
    "score_hypotheses",
    "select_neurons",
    "train_sae",
]


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        value = getattr(import_module(f".{_WHERE[name]}", __name__), name)
        globals()[name] = value
        return value
    if name in _MODULES:
        return import_module(f".{name}", __name__)
    raise AttributeError(f"module `{__name__}` has no attribute `{name}`")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_MODULES})
