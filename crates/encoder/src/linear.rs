//! Products with matrices of weights.

use rten_gemm::{BiasVector, GemmExecutor, GemmInputA, GemmInputB, GemmOptions, PackedBMatrix};
use rten_tensor::NdTensorView;

thread_local! {
    /// The kernel that suits the processor.
    static GEMM: GemmExecutor = GemmExecutor::new();
}

/// `x W' + b`.
pub(crate) struct Linear {
    weight: PackedBMatrix<f32>,
    bias: Option<Vec<f32>>,
    ins: usize,
    outs: usize,
}

impl Linear {
    /// `weight` is outs x ins, as torch has it.
    pub fn new(weight: &[f32], bias: Option<Vec<f32>>, ins: usize) -> Self {
        let outs = weight.len() / ins;
        let weight = NdTensorView::from_data([outs, ins], weight);
        let weight = GEMM.with(|gemm| gemm.prepack_b(weight.transposed()));
        Self { weight, bias, ins, outs }
    }

    pub fn outs(&self) -> usize {
        self.outs
    }

    /// `out` (n x outs) becomes the product of `x` (n x ins).
    pub fn apply(&self, x: &[f32], out: &mut Vec<f32>) {
        out.resize(x.len() / self.ins * self.outs, 0.0);
        self.product(x, out, 0.0);
    }

    /// Adds the product to `out`.
    pub fn add(&self, x: &[f32], out: &mut [f32]) {
        self.product(x, out, 1.0);
    }

    fn product(&self, x: &[f32], out: &mut [f32], beta: f32) {
        let x = NdTensorView::from_data([x.len() / self.ins, self.ins], x);
        let options = GemmOptions {
            beta,
            bias: self.bias.as_deref().map(BiasVector::Row),
            ..GemmOptions::default()
        };
        run(out, x, GemmInputB::Packed(&self.weight), options);
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
