//! The product of rows and neurons in whole numbers, by what the processor does best.

use super::narrow::{self, Narrow};
#[cfg(target_arch = "x86_64")]
use super::wide;

/// Multiplies rows with neurons; both are rounded to numbers of at most [`Self::largest`].
pub(in super::super) enum Product {
    /// In 8 bits.
    Narrow(Narrow),
    /// In 16 bits; with the largest number.
    #[cfg(target_arch = "x86_64")]
    Wide(pulp::x86::V3, i16),
}

/// Rows arranged the way that a product reads them, a buffer.
#[derive(Debug, Default)]
pub(in super::super) struct Arranged {
    bytes: Vec<u8>,
    #[cfg(target_arch = "x86_64")]
    tiles: Vec<i16>,
}

impl Product {
    /// The best on this processor for rows of `dim` numbers.
    pub fn best(dim: usize) -> Self {
        let narrow = Narrow::new();
        match Self::wide(dim) {
            Some(wide) if narrow.may_saturate() => wide,
            _ => Self::Narrow(narrow),
        }
    }

    /// All that this processor can do.
    #[cfg(test)]
    pub fn every(dim: usize) -> Vec<Self> {
        std::iter::once(Self::Narrow(Narrow::new())).chain(Self::wide(dim)).collect()
    }

    #[cfg(target_arch = "x86_64")]
    fn wide(dim: usize) -> Option<Self> {
        pulp::x86::V3::try_new().map(|simd| Self::Wide(simd, wide::largest(dim)))
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn wide(_: usize) -> Option<Self> {
        None
    }

    /// In words: bits, and the instructions.
    pub fn name(&self) -> String {
        match self {
            Self::Narrow(narrow) => narrow.name(),
            #[cfg(target_arch = "x86_64")]
            Self::Wide(..) => "16 bits, avx2".to_owned(),
        }
    }

    /// Largest absolute value of a row's number, and of a weight.
    pub fn largest(&self) -> (i16, i16) {
        match self {
            Self::Narrow(narrow) => narrow.largest(),
            #[cfg(target_arch = "x86_64")]
            Self::Wide(_, largest) => (*largest, *largest),
        }
    }

    /// What a product is too large by, per unit of the sum of the weights.
    pub fn offset(&self) -> i32 {
        match self {
            Self::Narrow(_) => narrow::SHIFT,
            #[cfg(target_arch = "x86_64")]
            Self::Wide(..) => 0,
        }
    }

    /// Writes the neurons of a panel, [`super::NEURONS`] rows, the way that [`Self::multiply`]
    /// reads them.
    pub fn place(&self, neurons: &[i16], panel: &mut [i16]) {
        match self {
            Self::Narrow(_) => panel.copy_from_slice(neurons),
            #[cfg(target_arch = "x86_64")]
            Self::Wide(..) => wide::interleave::<{ super::NEURONS }>(neurons, panel),
        }
    }

    /// Takes over new weights, panels of rows of `stride` numbers.
    pub fn pack(&mut self, weights: &[i16], stride: usize) {
        match self {
            Self::Narrow(narrow) => narrow.pack(weights, stride),
            #[cfg(target_arch = "x86_64")]
            Self::Wide(..) => {}
        }
    }

    /// Fills `out` (n x m); `weights` are those of [`Self::pack`].
    pub fn multiply(
        &self,
        rows: &[i16],
        weights: &[i16],
        stride: usize,
        arranged: &mut Arranged,
        out: &mut [i32],
    ) {
        match self {
            Self::Narrow(narrow) => narrow.multiply(rows, stride, &mut arranged.bytes, out),
            #[cfg(target_arch = "x86_64")]
            Self::Wide(simd, _) => {
                wide::multiply(*simd, rows, weights, stride, &mut arranged.tiles, out);
            }
        }
    }
}
