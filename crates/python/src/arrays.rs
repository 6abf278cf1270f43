//! Arrays of `numpy` as the library's rows and columns, read where they lie.

use hypothesaes_math::{Activations, Result as MathResult, Rows};
use numpy::ndarray::{ArrayView1, ArrayView2};
use numpy::{PyReadonlyArray1, PyReadonlyArray2, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::fault;

/// A two-dimensional array of `float32` or `float64`, of any strides.
pub enum Array<'py> {
    Single(PyReadonlyArray2<'py, f32>),
    Double(PyReadonlyArray2<'py, f64>),
}

/// Its content, which threads can share.
#[derive(Clone, Copy)]
pub enum View<'a> {
    Single(ArrayView2<'a, f32>),
    Double(ArrayView2<'a, f64>),
}

impl<'py> Array<'py> {
    /// # Errors
    /// `OptionError` for another type or number of dimensions.
    pub fn new(name: &str, array: &Bound<'py, PyAny>) -> PyResult<Self> {
        if let Ok(array) = array.extract() {
            return Ok(Self::Single(array));
        }
        if let Ok(array) = array.extract() {
            return Ok(Self::Double(array));
        }
        let value = match array.cast::<PyUntypedArray>() {
            Ok(array) => format!("{}, {} dimensions", array.dtype(), array.ndim()),
            Err(_) => array.get_type().name()?.to_string(),
        };
        let allowed = "a two-dimensional array of float32 or float64 is needed";
        Err(fault::argument(array.py(), name, value, allowed))
    }

    pub fn view(&self) -> View<'_> {
        match self {
            Self::Single(array) => View::Single(array.as_array()),
            Self::Double(array) => View::Double(array.as_array()),
        }
    }
}

impl View<'_> {
    /// Dense activations; negative ones make them differences of pairs.
    #[expect(clippy::cast_possible_truncation, reason = "activations are f32")]
    pub fn activations(&self) -> Activations {
        fn each<T: Copy>(view: &ArrayView2<'_, T>, to: impl Fn(T) -> f32) -> Activations {
            let mut z = Activations::new(view.ncols());
            for row in view.rows() {
                z.push_difference((0_u32..).zip(row.iter().map(|&v| to(v))));
            }
            z
        }
        match self {
            Self::Single(view) => each(view, |v| v),
            Self::Double(view) => each(view, |v| v as f32),
        }
    }
}

impl Rows for View<'_> {
    fn n_rows(&self) -> usize {
        match self {
            Self::Single(view) => view.nrows(),
            Self::Double(view) => view.nrows(),
        }
    }

    fn dim(&self) -> usize {
        match self {
            Self::Single(view) => view.ncols(),
            Self::Double(view) => view.ncols(),
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "embeddings are f32")]
    fn fetch<'a>(
        &'a self,
        index: &[usize],
        buffer: &'a mut Vec<f32>,
    ) -> MathResult<Vec<&'a [f32]>> {
        if let Self::Single(view) = self {
            let rows = index.iter().map(|&i| view.row(i).to_slice());
            if let Some(rows) = rows.collect() {
                return Ok(rows);
            }
        }
        buffer.clear();
        for &i in index {
            match self {
                Self::Single(view) => buffer.extend(view.row(i)),
                Self::Double(view) => buffer.extend(view.row(i).iter().map(|&v| v as f32)),
            }
        }
        Ok(buffer.chunks_exact(self.dim().max(1)).collect())
    }
}

/// The values of a vector.
pub fn numbers(array: &PyReadonlyArray1<'_, f64>) -> Vec<f64> {
    let view: ArrayView1<'_, f64> = array.as_array();
    view.to_vec()
}

/// The rows of a matrix of `float64`.
pub fn columns(array: &PyReadonlyArray2<'_, f64>) -> Vec<Vec<f64>> {
    array.as_array().rows().into_iter().map(|row| row.to_vec()).collect()
}
