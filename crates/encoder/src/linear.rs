//! Products with matrices of weights.

use rten_gemm::{BiasVector, GemmExecutor, GemmInputA, GemmInputB, GemmOptions, PackedBMatrix};
use rten_tensor::NdTensorView;
use serde::{Deserialize, Serialize};

use crate::int8::Int8;

thread_local! {
    /// The kernel that suits the processor.
    static GEMM: GemmExecutor = GemmExecutor::new();
}

/// In what numbers products with weights are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// Those that the model was trained in.
    #[default]
    F32,
    /// Whole numbers of 8 bits: faster, and a vector differs a little.
    Int8,
}

/// `x W' + b`.
pub(crate) struct Linear {
    kept: Kept,
    ins: usize,
    outs: usize,
}

enum Kept {
    F32 { weight: PackedBMatrix<f32>, bias: Option<Vec<f32>> },
    Int8(Int8),
}

impl Linear {
    /// `weight` is outs x ins, as torch has it.
    pub fn new(weight: &[f32], bias: Option<Vec<f32>>, ins: usize, precision: Precision) -> Self {
        let outs = weight.len() / ins;
        let kept = match precision {
            Precision::F32 => {
                let weight = NdTensorView::from_data([outs, ins], weight);
                let weight = GEMM.with(|gemm| gemm.prepack_b(weight.transposed()));
                Kept::F32 { weight, bias }
            }
            Precision::Int8 => Kept::Int8(Int8::new(weight, bias, ins)),
        };
        Self { kept, ins, outs }
    }

    pub fn outs(&self) -> usize {
        self.outs
    }

    /// `out` (n x outs) becomes the product of `x` (n x ins).
    pub fn apply(&self, x: &[f32], out: &mut Vec<f32>) {
        out.resize(x.len() / self.ins * self.outs, 0.0);
        self.product(x, false, out);
    }

    /// Adds the product to `out`.
    pub fn add(&self, x: &[f32], out: &mut [f32]) {
        self.product(x, true, out);
    }

    fn product(&self, x: &[f32], adds: bool, out: &mut [f32]) {
        let (weight, bias) = match &self.kept {
            Kept::Int8(kept) => return kept.product(x, adds, out),
            Kept::F32 { weight, bias } => (weight, bias.as_deref()),
        };
        let x = NdTensorView::from_data([x.len() / self.ins, self.ins], x);
        let options = GemmOptions {
            beta: f32::from(u8::from(adds)),
            bias: bias.map(BiasVector::Row),
            ..GemmOptions::default()
        };
        run(out, x, GemmInputB::Packed(weight), options);
    }
}

/// `out = scale a b` for row-major views.
pub(crate) fn product(
    out: &mut [f32],
    a: NdTensorView<f32, 2>,
    b: NdTensorView<f32, 2>,
    scale: f32,
) {
    let options = GemmOptions { alpha: scale, ..GemmOptions::default() };
    run(out, a, GemmInputB::Unpacked(b), options);
}

fn run(
    out: &mut [f32],
    a: NdTensorView<f32, 2>,
    b: GemmInputB<f32>,
    options: GemmOptions<f32, f32, f32>,
) {
    let done = GEMM.with(|gemm| gemm.gemm(out, GemmInputA::Unpacked(a), b, options));
    done.expect("shapes agree by construction");
}
