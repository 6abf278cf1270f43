//! From likeness to places: gradient descent with momentum and a gain per coordinate.

#![expect(clippy::inline_always, reason = "pulp compiles what is inlined for the instruction set")]

use pulp::Arch;
use rayon::prelude::*;

use super::{Affinities, START};

/// Steps in which likeness counts for more, so that clusters form, and those after them.
const EARLY: usize = 250;
const LATE: usize = 500;
const EXAGGERATION: f64 = 12.0;
const MIN_GAIN: f64 = 0.01;
/// Partial sums that run side by side: as many on every processor, so that sums agree.
const LANES: usize = 8;

/// Places after all steps, starting from `y`.
pub(super) fn descend(p: &Affinities, mut y: Vec<[f64; 2]>) -> Vec<[f64; 2]> {
    let rate = (y.len() as f64 / EXAGGERATION / 4.0).max(50.0);
    walk(p, &mut y, EARLY, [EXAGGERATION, 0.5, rate]);
    walk(p, &mut y, LATE, [1.0, 0.8, rate]);
    y
}

fn walk(
    p: &Affinities,
    y: &mut [[f64; 2]],
    steps: usize,
    [exaggeration, momentum, rate]: [f64; 3],
) {
    let (mut step, mut gain) = (vec![[0.0; 2]; y.len()], vec![[1.0_f64; 2]; y.len()]);
    for _ in 0..steps {
        let slope = gradient(p, y, exaggeration);
        for i in 0..y.len() {
            for k in 0..2 {
                let goes_on = step[i][k] * slope[i][k] < 0.0;
                let next = if goes_on { gain[i][k] + 0.2 } else { gain[i][k] * 0.8 };
                gain[i][k] = next.max(MIN_GAIN);
                step[i][k] = momentum * step[i][k] - rate * gain[i][k] * slope[i][k];
                y[i][k] += step[i][k];
            }
        }
        spread_out(y, &mut step);
    }
}

/// Where all points are close together, steps are linear in their places: scaling both up changes no
/// shape, and keeps points that attract each other from vanishing in one.
fn spread_out(y: &mut [[f64; 2]], step: &mut [[f64; 2]]) {
    centre(y);
    let square: f64 = y.iter().flatten().map(|v| v * v).sum();
    let spread = (square / y.len().max(1) as f64).sqrt();
    if spread > 0.0 && spread < START {
        for v in y.iter_mut().chain(step).flatten() {
            *v *= START / spread;
        }
    }
}

fn centre(y: &mut [[f64; 2]]) {
    for k in 0..2 {
        let mean = y.iter().map(|at| at[k]).sum::<f64>() / y.len().max(1) as f64;
        for at in y.iter_mut() {
            at[k] -= mean;
        }
    }
}

/// Slope of the Kullback-Leibler divergence at the places `y`, `p` multiplied by `exaggeration`:
/// `4 sum_j (e p_ij - q_ij) (y_i - y_j) / (1 + |y_i - y_j|^2)`.
#[must_use]
pub fn gradient(p: &Affinities, y: &[[f64; 2]], exaggeration: f64) -> Vec<[f64; 2]> {
    let (repulsion, all) = repulsions(y);
    let one = |i: usize| {
        let mut slope = repulsion[i].map(|r| -4.0 * r / all);
        for &(j, p) in p.row(i) {
            let apart: [f64; 2] = std::array::from_fn(|k| y[i][k] - y[j as usize][k]);
            let near = 1.0 / (1.0 + apart[0] * apart[0] + apart[1] * apart[1]);
            (0..2).for_each(|k| slope[k] += 4.0 * exaggeration * p * near * apart[k]);
        }
        slope
    };
    (0..y.len()).into_par_iter().map(one).collect()
}

/// `sum p ln(p / q)`: what a map of these places loses.
#[must_use]
pub fn divergence(p: &Affinities, y: &[[f64; 2]]) -> f64 {
    let (_, all) = repulsions(y);
    let of_row = |i: usize| -> f64 {
        let term = |&(j, p): &(u32, f64)| {
            let apart: [f64; 2] = std::array::from_fn(|k| y[i][k] - y[j as usize][k]);
            let q = 1.0 / (1.0 + apart[0] * apart[0] + apart[1] * apart[1]) / all;
            if p > 0.0 { p * (p / q).ln() } else { 0.0 }
        };
        p.row(i).iter().map(term).sum()
    };
    (0..y.len()).map(of_row).sum()
}

/// Of every point `sum_j near_ij^2 (y_i - y_j)`, and the sum of all `near` of unlike points, where
/// `near = 1 / (1 + |y_i - y_j|^2)`.
fn repulsions(y: &[[f64; 2]]) -> (Vec<[f64; 2]>, f64) {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "six digits suffice for a sum of repulsions"
    )]
    let places: [Vec<f32>; 2] = std::array::from_fn(|k| y.iter().map(|at| at[k] as f32).collect());
    let arch = Arch::new();
    let row = |i: usize| arch.dispatch(|| repulsion(&places, i));
    let rows: Vec<[f64; 3]> = (0..y.len()).into_par_iter().map(row).collect();
    // A point is nearest to itself, which does not count.
    let all: f64 = rows.iter().map(|row| row[2] - 1.0).sum();
    (rows.into_iter().map(|[a, b, _]| [a, b]).collect(), all.max(f64::MIN_POSITIVE))
}

#[inline(always)]
fn repulsion(places: &[Vec<f32>; 2], i: usize) -> [f64; 3] {
    let [xs, ys] = places;
    let at = [xs[i], ys[i]];
    let mut sums = [[0.0_f32; LANES]; 3];
    let (xs, last_xs) = xs.as_chunks::<LANES>();
    let (ys, last_ys) = ys.as_chunks::<LANES>();
    for (x, y) in xs.iter().zip(ys) {
        add(&mut sums, at, x, y);
    }
    if !last_xs.is_empty() {
        // Far away nothing is repelled.
        let mut last = [[f32::MAX.sqrt() / 4.0; LANES]; 2];
        last[0][..last_xs.len()].copy_from_slice(last_xs);
        last[1][..last_ys.len()].copy_from_slice(last_ys);
        add(&mut sums, at, &last[0], &last[1]);
    }
    sums.map(|lanes| lanes.iter().map(|v| f64::from(*v)).sum())
}

#[inline(always)]
fn add(sums: &mut [[f32; LANES]; 3], at: [f32; 2], xs: &[f32; LANES], ys: &[f32; LANES]) {
    let [sum_x, sum_y, sum] = sums;
    for lane in 0..LANES {
        let (u, v) = (at[0] - xs[lane], at[1] - ys[lane]);
        let near = 1.0 / (1.0 + u * u + v * v);
        sum_x[lane] += near * near * u;
        sum_y[lane] += near * near * v;
        sum[lane] += near;
    }
}
