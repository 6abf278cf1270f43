//! Products in 8 bits, through `rten-gemm`: VNNI, NEON's dot products, plain Rust.

#![expect(clippy::cast_possible_truncation, reason = "numbers that were rounded to 8 bits")]
#![expect(clippy::cast_sign_loss, reason = "they are shifted above 0 first")]

use rayon::prelude::*;
use rten_gemm::{GemmExecutor, GemmInputA, GemmInputB, GemmOptions, PackedBMatrix};
use rten_tensor::NdTensorView;

/// What makes a row of whole numbers from -127 to 127 one of numbers from 0 on. Each product is too
/// large by this times the sum of the weights.
pub(super) const SHIFT: i32 = 128;

/// Weights in 8 bits, packed for the library's kernel.
pub(super) struct Narrow {
    product: GemmExecutor<u8, i8, i32>,
    /// The weights before packing.
    loose: Vec<i8>,
    packed: Option<PackedBMatrix<i8>>,
}

impl Narrow {
    pub fn new() -> Self {
        Self { product: GemmExecutor::default(), loose: Vec::new(), packed: None }
    }

    /// Whether the kernel adds two products in 16 bits.
    pub fn may_saturate(&self) -> bool {
        self.product.may_saturate()
    }

    pub fn name(&self) -> String {
        format!("8 bits, {}", self.product.kernel_name())
    }

    /// Largest absolute value of a row's number, and of a weight.
    pub fn largest(&self) -> (i16, i16) {
        // 2 * 255 * 63 stays inside 16 bits.
        (127, if self.may_saturate() { 63 } else { 127 })
    }

    pub fn pack(&mut self, weights: &[i16], stride: usize) {
        self.loose.resize(weights.len(), 0);
        self.loose.par_chunks_mut(stride).zip(weights.par_chunks(stride)).for_each(|(to, from)| {
            for (to, &from) in to.iter_mut().zip(from) {
                *to = from as i8;
            }
        });
        let view = NdTensorView::from_data([weights.len() / stride, stride], &*self.loose);
        self.packed = Some(self.product.prepack_b(view.transposed()));
    }

    pub fn multiply(&self, rows: &[i16], stride: usize, bytes: &mut Vec<u8>, out: &mut [i32]) {
        bytes.clear();
        bytes.extend(rows.iter().map(|&q| (i32::from(q) + SHIFT) as u8));
        let rows = NdTensorView::from_data([bytes.len() / stride, stride], bytes.as_slice());
        let weights = self.packed.as_ref().expect("`pack` comes first");
        let (a, b) = (GemmInputA::Unpacked(rows), GemmInputB::Packed(weights));
        self.product.gemm(out, a, b, GemmOptions::default()).expect("sizes that fit together");
    }
}
