//! Numbers of vectors, as they are stored.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float16Array, Float32Array};
use half::f16;
use half::slice::{HalfBitsSliceExt, HalfFloatSliceExt};

use super::Element;
use crate::{Error, Result};

/// Stored numbers, borrowed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Numbers<'a> {
    F32(&'a [f32]),
    F16(&'a [f16]),
}

impl<'a> Numbers<'a> {
    /// `None` if the bytes are not aligned or no whole number of elements.
    pub(super) fn of(bytes: &'a [u8], element: Element) -> Option<Self> {
        match element {
            Element::F32 => bytemuck::try_cast_slice(bytes).ok().map(Self::F32),
            Element::F16 => {
                let bits: &[u16] = bytemuck::try_cast_slice(bytes).ok()?;
                Some(Self::F16(bits.reinterpret_cast()))
            }
        }
    }

    pub(super) fn are_finite(self) -> bool {
        match self {
            Self::F32(x) => x.iter().all(|v| v.is_finite()),
            Self::F16(x) => x.iter().all(|v| v.is_finite()),
        }
    }

    /// `out` must be as long.
    pub(super) fn copy_to(self, out: &mut [f32]) {
        match self {
            Self::F32(x) => out.copy_from_slice(x),
            Self::F16(x) => x.convert_to_f32_slice(out),
        }
    }

    pub(super) fn slice(self, range: std::ops::Range<usize>) -> Self {
        match self {
            Self::F32(x) => Self::F32(&x[range]),
            Self::F16(x) => Self::F16(&x[range]),
        }
    }
}

/// Stored numbers, owned: vectors one after the other.
#[derive(Debug)]
pub(super) enum Values {
    F32(Vec<f32>),
    F16(Vec<f16>),
}

impl Values {
    pub(super) fn new(element: Element, capacity: usize) -> Self {
        match element {
            Element::F32 => Self::F32(Vec::with_capacity(capacity)),
            Element::F16 => Self::F16(Vec::with_capacity(capacity)),
        }
    }

    /// Appends a vector, all of it or nothing.
    ///
    /// # Errors
    /// [`Error::Data`] if a number is not finite as it would be stored.
    pub(super) fn push(&mut self, vector: &[f32]) -> Result<()> {
        if let Some(at) = vector.iter().position(|v| !v.is_finite()) {
            let (at, v) = (at + 1, vector[at]);
            return Err(Error::Data(format!("number {at} of a vector is {v}: it cannot be kept")));
        }
        match self {
            Self::F32(x) => x.extend_from_slice(vector),
            Self::F16(x) => {
                let before = x.len();
                x.resize(before + vector.len(), f16::ZERO);
                x[before..].convert_from_f32_slice(vector);
                if let Some(at) = x[before..].iter().position(|v| !v.is_finite()) {
                    x.truncate(before);
                    let (at, v) = (at + 1, vector[at]);
                    let why = "16-bit floats end at 65504; keep vectors as f32";
                    return Err(Error::Data(format!("number {at} of a vector is {v}: {why}")));
                }
            }
        }
        Ok(())
    }

    /// Appends what is stored already; both must have the same element.
    pub(super) fn extend(&mut self, numbers: Numbers) {
        match (self, numbers) {
            (Self::F32(to), Numbers::F32(x)) => to.extend_from_slice(x),
            (Self::F16(to), Numbers::F16(x)) => to.extend_from_slice(x),
            _ => unreachable!("segments of one space have one element"),
        }
    }

    pub(super) fn as_numbers(&self) -> Numbers<'_> {
        match self {
            Self::F32(x) => Numbers::F32(x),
            Self::F16(x) => Numbers::F16(x),
        }
    }

    /// As they lie in memory and in the file.
    pub(super) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::F32(x) => bytemuck::cast_slice(x),
            Self::F16(x) => {
                let bits: &[u16] = x.reinterpret_cast();
                bytemuck::cast_slice(bits)
            }
        }
    }

    pub(super) fn clear(&mut self) {
        match self {
            Self::F32(x) => x.clear(),
            Self::F16(x) => x.clear(),
        }
    }

    /// Without copying.
    pub(super) fn into_array(self) -> ArrayRef {
        match self {
            Self::F32(x) => Arc::new(Float32Array::from(x)),
            Self::F16(x) => Arc::new(Float16Array::from(x)),
        }
    }
}
