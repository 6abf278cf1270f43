//! The Python face of the library: arguments in, results out, nothing computed here.
//!
//! `python/hypothesaes/_native.pyi` says what each function takes and gives. The package's own
//! modules, in Python, stand between it and its users.

#![expect(
    clippy::needless_pass_by_value,
    clippy::too_many_arguments,
    clippy::fn_params_excessive_bools,
    reason = "functions take what Python gives, as Python gives it"
)]

mod arrays;
mod autoencoder;
mod client;
mod exports;
mod fault;
mod pool;
mod runs;
mod selection;
mod sentences;
mod statistics;
mod table;
mod work;

use pyo3::prelude::*;

#[global_allocator]
static ALLOCATOR: hypothesaes_math::LargePages = hypothesaes_math::LargePages;

#[pymodule]
mod _native {
    #[pymodule_export]
    use super::autoencoder::{Autoencoder, hash_rows, load, train};
    #[pymodule_export]
    use super::client::{Client, tfidf_svd, wordings, yes_no};
    #[pymodule_export]
    use super::exports::{export, export_text};
    #[pymodule_export]
    use super::runs::{
        annotate_more, answers_file, carry_out, folder_of, look_ahead, test_annotations,
    };
    #[pymodule_export]
    use super::selection::select;
    #[pymodule_export]
    use super::sentences::sentence_vectors;
    #[pymodule_export]
    use super::statistics::{
        adjust, auc, average_precision, cross_fitted, match_rows, mean_difference, regress,
    };
    #[pymodule_export]
    use super::table::Table;
    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
