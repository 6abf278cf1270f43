//! Attention of the tokens of each text to one another.

use std::sync::Arc;

use rten_tensor::NdTensorView;

use crate::linear::{Linear, product};
use crate::ops::softmax;

/// Tokens that ask at once: what they see is kept, however long the text.
const ASKING: usize = 256;

/// Multi-head attention. h is the width of a token's vector, of which every head has a part.
pub(crate) struct Attention {
    /// h to 3 h: queries, keys, values.
    pub qkv: Linear,
    pub out: Linear,
    pub heads: usize,
    /// How far a token sees; `None`: everywhere.
    pub reach: Option<usize>,
    pub rotary: Option<Arc<Rotary>>,
}

/// Buffers that are kept from product to product.
#[derive(Default)]
pub(crate) struct Space {
    pub qkv: Vec<f32>,
    pub seen: Vec<f32>,
    pub inner: Vec<f32>,
    pub gate: Vec<f32>,
    pub normed: Vec<f32>,
    scores: Vec<f32>,
    head: Vec<f32>,
}

impl Attention {
    /// Adds what the tokens see of `x` (tokens x h) to `to`; `lengths` are those of the texts.
    pub fn add(
        &self,
        x: &[f32],
        lengths: &[usize],
        bias: Option<&RelativeBias>,
        space: &mut Space,
        to: &mut [f32],
    ) {
        let mut qkv = std::mem::take(&mut space.qkv);
        self.qkv.apply(x, &mut qkv);
        let h = self.qkv.outs() / 3;
        if let Some(rotary) = &self.rotary {
            rotary.turn(&mut qkv, lengths, h);
        }
        let mut seen = std::mem::take(&mut space.seen);
        seen.resize(x.len(), 0.0);
        let mut start = 0;
        for &length in lengths {
            let rows = &qkv[3 * h * start..3 * h * (start + length)];
            let seen = &mut seen[h * start..h * (start + length)];
            for head in 0..self.heads {
                self.look(rows, head, bias, space, seen);
            }
            start += length;
        }
        self.out.add(&seen, to);
        (space.qkv, space.seen) = (qkv, seen);
    }

    /// One head's part of what the tokens of one text see. `qkv` is tokens x 3 h, `seen` tokens x h.
    fn look(
        &self,
        qkv: &[f32],
        head: usize,
        bias: Option<&RelativeBias>,
        space: &mut Space,
        seen: &mut [f32],
    ) {
        let h = self.qkv.outs() / 3;
        let (d, n) = (h / self.heads, qkv.len() / (3 * h));
        let part = |of: usize, rows: std::ops::Range<usize>| {
            let from = 3 * h * rows.start + of * h + head * d;
            let shape = [rows.len(), d];
            let data = &qkv[from..from + 3 * h * (rows.len() - 1) + d];
            NdTensorView::from_data_with_strides(shape, data, [3 * h, 1]).expect("inside the rows")
        };
        let scale = 1.0 / (d as f32).sqrt();
        let reach = self.reach.unwrap_or(n);
        for first in (0..n).step_by(ASKING) {
            let asking = first..n.min(first + ASKING);
            let asked = first.saturating_sub(reach)..n.min(asking.end.saturating_add(reach));
            space.scores.resize(asking.len() * asked.len(), 0.0);
            product(
                &mut space.scores,
                part(0, asking.clone()),
                part(1, asked.clone()).transposed(),
                scale,
            );
            for (row, i) in space.scores.chunks_exact_mut(asked.len()).zip(asking.clone()) {
                if let Some(bias) = bias {
                    bias.add(head, i, asked.start, row);
                }
                // Of the tokens asked at once, those that this one sees.
                let from = i.saturating_sub(reach).max(asked.start) - asked.start;
                let to = i.saturating_add(reach + 1).min(asked.end) - asked.start;
                row[..from].fill(0.0);
                row[to..].fill(0.0);
                softmax(&mut row[from..to]);
            }
            space.head.resize(asking.len() * d, 0.0);
            let weights = NdTensorView::from_data([asking.len(), asked.len()], &space.scores[..]);
            product(&mut space.head, weights, part(2, asked), 1.0);
            for (i, of_head) in asking.zip(space.head.chunks_exact(d)) {
                seen[i * h + head * d..][..d].copy_from_slice(of_head);
            }
        }
    }
}

/// Positions as rotations of pairs of numbers.
///
/// Source: Su et al. (2021), `RoFormer`, in the form of GPT-NeoX: number j goes with number j + d/2.
pub(crate) struct Rotary {
    /// Cosines and sines, positions x pairs.
    cos: Vec<f32>,
    sin: Vec<f32>,
    pairs: usize,
    /// Numbers of a head.
    d: usize,
}

impl Rotary {
    /// The first `turned` of the d numbers of a head are turned.
    #[expect(clippy::cast_possible_truncation, reason = "rounded where torch rounds")]
    pub fn new(positions: usize, d: usize, turned: usize, base: f64) -> Self {
        let pairs = turned / 2;
        let speed = |j: usize| 1.0 / base.powf(2.0 * j as f64 / turned as f64) as f32;
        let speeds: Vec<f32> = (0..pairs).map(speed).collect();
        let angles = || {
            let positions = (0..positions).map(|position| position as f32);
            positions.flat_map(|p| speeds.iter().map(move |speed| p * speed))
        };
        Self {
            cos: angles().map(f32::cos).collect(),
            sin: angles().map(f32::sin).collect(),
            pairs,
            d,
        }
    }

    /// Queries and keys of all heads; `qkv` is tokens x 3 h.
    fn turn(&self, qkv: &mut [f32], lengths: &[usize], h: usize) {
        let positions = lengths.iter().flat_map(|&length| 0..length);
        for (row, position) in qkv.chunks_exact_mut(3 * h).zip(positions) {
            let of = position * self.pairs..(position + 1) * self.pairs;
            let (cos, sin) = (&self.cos[of.clone()], &self.sin[of]);
            for head in row[..2 * h].chunks_exact_mut(self.d) {
                let (first, second) = head[..2 * self.pairs].split_at_mut(self.pairs);
                for (j, (a, b)) in first.iter_mut().zip(second).enumerate() {
                    (*a, *b) = (*a * cos[j] - *b * sin[j], *b * cos[j] + *a * sin[j]);
                }
            }
        }
    }
}

/// What is added to scores by how far apart two tokens are, in `MPNet` as in T5.
///
/// Source: Raffel et al. (2020), J. Mach. Learn. Res. 21, 2.1.
pub(crate) struct RelativeBias {
    /// Heads x (2 positions - 1), from the furthest to the left to the furthest to the right.
    table: Vec<f32>,
    positions: usize,
}

impl RelativeBias {
    const FURTHEST: f64 = 128.0;

    /// From the learned biases, buckets x heads.
    pub fn new(learned: &[f32], heads: usize, positions: usize) -> Self {
        let buckets = learned.len() / heads;
        let mut table = Vec::with_capacity(heads * (2 * positions - 1));
        for head in 0..heads {
            for at in 0..2 * positions - 1 {
                let bucket = if at < positions {
                    Self::bucket(positions - 1 - at, buckets / 2)
                } else {
                    buckets / 2 + Self::bucket(at + 1 - positions, buckets / 2)
                };
                table.push(learned[bucket * heads + head]);
            }
        }
        Self { table, positions }
    }

    /// Near tokens have buckets of their own, further ones share them by the logarithm.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn bucket(distance: usize, buckets: usize) -> usize {
        let exact = buckets / 2;
        if distance < exact {
            return distance;
        }
        let share = (distance as f64 / exact as f64).ln() / (Self::FURTHEST / exact as f64).ln();
        (exact + (share * (buckets - exact) as f64) as usize).min(buckets - 1)
    }

    /// To the scores of token `i` for the tokens from `first` on.
    fn add(&self, head: usize, i: usize, first: usize, row: &mut [f32]) {
        let width = 2 * self.positions - 1;
        let of_head = &self.table[head * width..(head + 1) * width];
        let from = self.positions - 1 + first - i;
        row.iter_mut().zip(&of_head[from..]).for_each(|(score, bias)| *score += bias);
    }
}
