//! The library's errors as the package's exceptions: a class per remedy, in `hypothesaes.errors`.

use std::any::Any;
use std::io::ErrorKind;

use hypothesaes::Error;
use hypothesaes_llm::Error as Llm;
use hypothesaes_math::Error as Math;
use pyo3::exceptions::{PyKeyboardInterrupt, PyRuntimeError};
use pyo3::prelude::*;
use pyo3::types::PyType;

use crate::work::Failure;

/// The exception for a failure.
pub fn raise(py: Python<'_>, failure: Failure) -> PyErr {
    match failure {
        Failure::Library(Error::Interrupted) => PyKeyboardInterrupt::new_err(()),
        Failure::Library(error) => error_of(py, class(&error), message(&error)),
        Failure::Fault(what) => {
            let version = env!("CARGO_PKG_VERSION");
            let message = format!("a fault in hypothesaes {version}: {what}; please report it");
            error_of(py, "InternalError", message)
        }
        Failure::Threads(why) => {
            error_of(py, "RunError", format!("no threads could be started: {why}"))
        }
    }
}

/// The exception for an error of the library.
pub fn library(py: Python<'_>, error: impl Into<Error>) -> PyErr {
    raise(py, Failure::Library(error.into()))
}

/// The exception for an argument of this name.
pub fn argument(
    py: Python<'_>,
    name: &str,
    value: impl std::fmt::Display,
    allowed: impl Into<String>,
) -> PyErr {
    library(py, Error::option(name, value, allowed))
}

/// What a panic said.
pub fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("unknown").to_owned()
}

fn error_of(py: Python<'_>, class: &str, message: String) -> PyErr {
    // Looked up each time: a reloaded package has new classes.
    let found = py.import("hypothesaes.errors").and_then(|errors| errors.getattr(class));
    match found.and_then(|class| Ok(class.cast_into::<PyType>()?)) {
        Ok(class) => PyErr::from_type(class, message),
        Err(_) => PyRuntimeError::new_err(message),
    }
}

fn class(error: &Error) -> &'static str {
    match error {
        Error::Missing { .. } => "MissingFileError",
        Error::File { source, .. } if source.kind() == ErrorKind::NotFound => "MissingFileError",
        Error::File { .. } => "FileError",
        Error::Option { .. } | Error::Math(Math::Option { .. }) => "OptionError",
        Error::Column { .. } => "ColumnError",
        Error::Input { .. } | Error::Data(_) | Error::Math(_) => "DataError",
        Error::Run { .. } | Error::Declined | Error::Interrupted => "RunError",
        Error::Llm(error) => class_of_model(error),
    }
}

fn class_of_model(error: &Llm) -> &'static str {
    match error {
        Llm::Key { .. } => "KeyRefusedError",
        Llm::Money { .. } | Llm::Ceiling { .. } => "BudgetError",
        Llm::Batched { .. } => "PendingError",
        Llm::Frozen { .. } => "MissingAnswersError",
        Llm::Option { .. } => "OptionError",
        Llm::Store { .. } => "FileError",
        _ => "ServerError",
    }
}

/// The error and what caused it.
fn message(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let words = error.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        cause = error.source();
    }
    text
}
