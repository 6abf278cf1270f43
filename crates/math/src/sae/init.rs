//! Where training starts.

use super::{Parts, TrainOptions};
use crate::matrix::Matrix;
use crate::random::{self, Stream};
use crate::vector::{axpy, normalise, scale, squared_norm};
use rand::RngExt;
use rayon::prelude::*;

/// Columns whose medians one task computes.
const COLUMNS: usize = 16;

/// Share of a random direction in a decoder row that starts at a training row. It tells neurons
/// apart that start at equal rows, which would otherwise stay equal for ever.
const JITTER: f32 = 0.1;

/// Decoder rows that point at training rows, the encoder equal to them, the median as input bias.
///
/// Neuron j starts at the direction of one training row (centred; drawn without replacement) plus
/// a little of a random one; neurons beyond the number of rows start at random directions.
/// Random directions for all, as the Python package `HypotheSAEs` has it, first fit the noise of
/// small data: on 200 and 450 texts their best validation epoch was the untrained model, and on
/// 900 their neurons predicted a fifth less of a target's variance.
pub(super) fn parts(x: &Matrix, options: &TrainOptions) -> Parts {
    let input_bias = median(x);
    let decoder = directions(x, &input_bias, options);
    Parts {
        encoder: decoder.clone(),
        decoder,
        input_bias,
        neuron_bias: vec![0.0; options.n_neurons],
        k: options.k,
        threshold: None,
        variance: variance(x),
        silent_rows: vec![0; options.n_neurons],
    }
}

fn directions(x: &Matrix, centre: &[f32], options: &TrainOptions) -> Matrix {
    let mut stream = random::stream(options.seed, &format!("sae {} init", options.label));
    let order = random::permutation(x.rows(), &mut stream);
    let mut rows = Matrix::zeros(options.n_neurons, x.cols());
    for j in 0..options.n_neurons {
        let row = rows.row_mut(j);
        draw_direction(row, &mut stream);
        if let Some(&start) = order.get(j) {
            scale(row, JITTER);
            add_direction(row, x.row(start), centre);
        }
        normalise(row);
    }
    rows
}

/// A random unit row. Its entries are drawn from the cube; one drawn as 0 is drawn anew.
fn draw_direction(row: &mut [f32], stream: &mut Stream) {
    while squared_norm(row) < 1e-12 {
        row.fill_with(|| stream.random_range(-1.0..1.0));
    }
    normalise(row);
}

/// Adds the unit direction from `centre` to `point`; nothing if they are equal.
fn add_direction(row: &mut [f32], point: &[f32], centre: &[f32]) {
    let mut direction: Vec<f32> = point.iter().zip(centre).map(|(p, c)| p - c).collect();
    normalise(&mut direction);
    axpy(row, 1.0, &direction);
}

/// Median of each column; of an even number of rows the lower one, as `torch.median` has it.
fn median(x: &Matrix) -> Vec<f32> {
    let mut medians = vec![0.0; x.cols()];
    medians.par_chunks_mut(COLUMNS).enumerate().for_each(|(chunk, medians)| {
        let mut column = vec![0.0; x.rows()];
        for (j, median) in (chunk * COLUMNS..).zip(medians) {
            for (i, value) in column.iter_mut().enumerate() {
                *value = x.row(i)[j];
            }
            *median = *column.select_nth_unstable_by((x.rows() - 1) / 2, f32::total_cmp).1;
        }
    });
    medians
}

/// Mean squared distance of the rows from their mean: the one unit of all losses (trap 1).
///
/// (1/n) sum over rows x of |x - mean|^2, in f64. If it is 0 but for rounding (one row, or rows all
/// equal) the mean squared length takes its place, and 1 if that is 0 too, so that every loss is
/// finite whatever the data.
fn variance(x: &Matrix) -> f64 {
    let n = x.rows() as f64;
    let mut mean = vec![0.0; x.cols()];
    for i in 0..x.rows() {
        mean.iter_mut().zip(x.row(i)).for_each(|(m, &v)| *m += f64::from(v) / n);
    }
    let (mut around_mean, mut around_zero) = (0.0, 0.0);
    for i in 0..x.rows() {
        for (m, &v) in mean.iter().zip(x.row(i)) {
            around_mean += (f64::from(v) - m).powi(2) / n;
            around_zero += f64::from(v).powi(2) / n;
        }
    }
    // 1e-12 is the square of what f32 resolves, ten times over.
    if around_mean > 1e-12 * around_zero {
        around_mean
    } else if around_zero > 0.0 {
        around_zero
    } else {
        1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(rows: &[&[f32]]) -> Matrix {
        Matrix::from_vec(rows.len(), rows[0].len(), rows.concat()).unwrap()
    }

    #[test]
    fn medians_are_the_lower_ones() {
        assert_eq!(median(&matrix(&[&[3.0, -1.0], &[1.0, 5.0], &[2.0, 0.0]])), [2.0, 0.0]);
        assert_eq!(median(&matrix(&[&[3.0], &[1.0], &[2.0], &[9.0]])), [2.0]);
        let wide = Matrix::from_vec(1, 40, (0..40_u8).map(f32::from).collect()).unwrap();
        assert_eq!(median(&wide), wide.data());
    }

    #[test]
    fn trap_01_the_unit_of_the_loss_is_never_zero() {
        let check = |rows: &[&[f32]], expected: f64| assert_eq!(variance(&matrix(rows)), expected);
        check(&[&[1.0, 0.0], &[3.0, 0.0]], 1.0);
        check(&[&[3.0, 4.0]], 25.0);
        check(&[&[0.0, 0.0], &[0.0, 0.0]], 1.0);
        // Rows all equal, whose mean does not come out exact.
        let equal: &[f32] = &[0.1, 0.2];
        assert!((variance(&matrix(&[equal; 7])) - 0.05).abs() < 1e-8);
    }

    #[test]
    fn decoder_rows_are_unit_and_point_at_training_rows() {
        let x = matrix(&[&[1.0, 0.0, 0.0], &[0.0, 2.0, 0.0], &[0.0, 0.0, 0.0]]);
        let options = TrainOptions { n_neurons: 5, ..TrainOptions::default() };
        let rows = directions(&x, &[0.0; 3], &options);
        assert!((0..5).all(|j| (squared_norm(rows.row(j)) - 1.0).abs() < 1e-6));
        for axis in 0..2 {
            let closest = (0..3).map(|j| rows.row(j)[axis]).fold(0.0, f32::max);
            assert!(closest > 0.98, "a neuron points at row {axis}: {closest}");
        }
    }

    #[test]
    fn equal_rows_start_different_neurons() {
        let x = matrix(&[[1.0, 1.0].as_slice(); 4]);
        let options = TrainOptions { n_neurons: 4, ..TrainOptions::default() };
        let rows = directions(&x, &[0.0; 2], &options);
        assert!((1..4).all(|j| rows.row(j) != rows.row(0)));
    }

    #[test]
    fn seed_and_label_change_the_start() {
        let x = matrix(&[&[1.0, 0.5], &[0.0, 2.0]]);
        let options = TrainOptions { n_neurons: 3, ..TrainOptions::default() };
        let other_seed = TrainOptions { seed: 1, ..options.clone() };
        let other_label = TrainOptions { label: "1".to_owned(), ..options.clone() };
        let start = |options| directions(&x, &[0.0; 2], options);
        assert_eq!(start(&options), start(&options));
        assert_ne!(start(&options), start(&other_seed));
        assert_ne!(start(&options), start(&other_label));
    }
}
