"""The Python package's autoencoder, for what is held against it."""

import importlib.metadata
import importlib.util


def sae_module():
    """`hypothesaes.sae` alone: the package itself also imports what embeds and asks."""
    file = importlib.metadata.distribution("hypothesaes").locate_file("hypothesaes/sae.py")
    spec = importlib.util.spec_from_file_location("hypothesaes_sae", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
