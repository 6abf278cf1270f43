//! Where training starts.

use super::{Parts, TrainOptions, order};
use crate::error::{Error, Result};
use crate::matrix::Matrix;
use crate::random::{self, Stream};
use crate::rows::{BLOCK, Rows, by_block, check_block, fetch_all};
use crate::vector::{axpy, normalise, scale, squared_norm};
use rand::RngExt;
use rayon::prelude::*;

/// Columns whose medians one task computes.
const COLUMNS: usize = 16;

/// Share of a random direction in a decoder row that starts at a training row. It tells neurons
/// apart that start at equal rows, which would otherwise stay equal for ever.
const JITTER: f32 = 0.1;

/// What all autoencoders of the same training rows have in common.
pub(super) struct Centre {
    /// Median of each column, d values.
    pub median: Vec<f32>,
    /// See [`Parts::variance`].
    pub variance: f64,
}

impl Centre {
    /// Reads all rows once.
    ///
    /// # Errors
    /// [`crate::Error::NotFinite`] with the place of the first NaN or infinity, and as
    /// [`Rows::fetch`].
    pub fn of(x: &dyn Rows, seed: u64) -> Result<Self> {
        let variance = variance(x)?;
        let (n, most) = (x.n_rows(), order::window_rows(x.dim()));
        let mut sample: Vec<usize> = (0..n).collect();
        if n > most {
            sample = random::permutation(n, &mut random::stream(seed, "sae median"));
            sample.truncate(most);
            sample.sort_unstable();
        }
        let mut buffers = Vec::new();
        let median = median(&fetch_all(x, &sample, &mut buffers)?);
        Ok(Self { median, variance })
    }
}

/// Decoder rows that point at training rows, the encoder equal to them, the median (of as many
/// rows as a window of training holds) as input bias.
///
/// Neuron j starts at the direction of one training row (centred; drawn without replacement) plus
/// a little of a random one; neurons beyond the number of rows start at random directions.
/// Random directions for all, as the Python package `HypotheSAEs` has it, first fit the noise of
/// small data: on 200 and 450 texts their best validation epoch was the untrained model, and on
/// 900 their neurons predicted a fifth less of a target's variance.
///
/// # Errors
/// As [`Rows::fetch`].
pub(super) fn parts(x: &dyn Rows, centre: &Centre, options: &TrainOptions) -> Result<Parts> {
    let decoder = directions(x, &centre.median, options)?;
    Ok(Parts {
        encoder: decoder.clone(),
        decoder,
        input_bias: centre.median.clone(),
        neuron_bias: vec![0.0; options.n_neurons],
        k: options.k,
        threshold: None,
        variance: centre.variance,
        silent_rows: vec![0; options.n_neurons],
    })
}

/// Where one autoencoder alone starts.
#[cfg(test)]
pub(super) fn alone(x: &Matrix, options: &TrainOptions) -> Parts {
    parts(x, &Centre::of(x, options.seed).unwrap(), options).unwrap()
}

fn directions(x: &dyn Rows, centre: &[f32], options: &TrainOptions) -> Result<Matrix> {
    let mut stream = random::stream(options.seed, &format!("sae {} init", options.label));
    let order = random::permutation(x.n_rows(), &mut stream);
    let mut rows = Matrix::zeros(options.n_neurons, x.dim());
    let mut buffer = Vec::new();
    for j in 0..options.n_neurons {
        let row = rows.row_mut(j);
        draw_direction(row, &mut stream);
        if let Some(&start) = order.get(j) {
            scale(row, JITTER);
            add_direction(row, x.fetch(&[start], &mut buffer)?[0], centre);
        }
        normalise(row);
    }
    Ok(rows)
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
fn median(rows: &[&[f32]]) -> Vec<f32> {
    let n = rows.len();
    let mut medians = vec![0.0; rows[0].len()];
    medians.par_chunks_mut(COLUMNS).enumerate().for_each(|(chunk, medians)| {
        // Row by row, as they lie in memory.
        let mut columns = vec![0.0; medians.len() * n];
        for (i, row) in rows.iter().enumerate() {
            for (c, &value) in row[chunk * COLUMNS..][..medians.len()].iter().enumerate() {
                columns[c * n + i] = value;
            }
        }
        for (column, median) in columns.chunks_exact_mut(n).zip(medians) {
            *median = *column.select_nth_unstable_by((n - 1) / 2, f32::total_cmp).1;
        }
    });
    medians
}

/// Mean squared distance of the rows from their mean: the one unit of all losses (trap 1).
///
/// (1/n) sum over rows x of |x - mean|^2, in f64, by distances from the first row. If it is 0 but
/// for rounding (one row, or rows all equal) the mean squared length takes its place, and 1 if that
/// is 0 too, so that every loss is finite whatever the data. See [`Parts::variance`].
///
/// # Errors
/// [`crate::Error::NotFinite`] with the place of the first NaN or infinity,
/// [`crate::Error::Data`] without rows; as [`Rows::fetch`].
pub fn variance(x: &dyn Rows) -> Result<f64> {
    let (n, d) = (x.n_rows(), x.dim());
    if n == 0 {
        return Err(Error::Data("a variance needs at least one row".to_owned()));
    }
    let mut buffer = Vec::new();
    let first = x.fetch(&[0], &mut buffer)?[0].to_vec();
    let mut sums = Sums::new(d);
    for start in (0..n).step_by(SPAN) {
        let span = start..n.min(start + SPAN);
        let blocks = by_block(
            x,
            span,
            || (),
            |(), at, rows| {
                check_block("training embeddings", at, rows)?;
                Ok(Sums::of(rows, &first))
            },
        )?;
        for block in &blocks {
            sums.add(block);
        }
    }
    let n = n as f64;
    let square = |s: &f64| (s / n).powi(2);
    let around_mean = sums.around_first / n - sums.distance.iter().map(square).sum::<f64>();
    let around_zero = sums.around_zero / n;
    // 1e-12 is the square of what f32 resolves, ten times over.
    Ok(if around_mean > 1e-12 * around_zero {
        around_mean
    } else if around_zero > 0.0 {
        around_zero
    } else {
        1.0
    })
}

/// Rows that are summed up at a time.
const SPAN: usize = 64 * BLOCK;

/// Sums over rows.
struct Sums {
    /// Of the distances from the first row, d values.
    distance: Vec<f64>,
    /// Of their squares.
    around_first: f64,
    around_zero: f64,
}

impl Sums {
    fn new(d: usize) -> Self {
        Self { distance: vec![0.0; d], around_first: 0.0, around_zero: 0.0 }
    }

    fn of(rows: &[&[f32]], first: &[f32]) -> Self {
        let mut sums = Self::new(first.len());
        for row in rows {
            for ((sum, &v), &f) in sums.distance.iter_mut().zip(*row).zip(first) {
                let (v, distance) = (f64::from(v), f64::from(v) - f64::from(f));
                *sum += distance;
                sums.around_first += distance * distance;
                sums.around_zero += v * v;
            }
        }
        sums
    }

    fn add(&mut self, other: &Self) {
        self.distance.iter_mut().zip(&other.distance).for_each(|(sum, v)| *sum += v);
        self.around_first += other.around_first;
        self.around_zero += other.around_zero;
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
        assert_eq!(median(&[&[3.0, -1.0], &[1.0, 5.0], &[2.0, 0.0]]), [2.0, 0.0]);
        assert_eq!(median(&[&[3.0], &[1.0], &[2.0], &[9.0]]), [2.0]);
        let wide: Vec<f32> = (0..40_u8).map(f32::from).collect();
        assert_eq!(median(&[&wide]), wide);
    }

    #[test]
    fn trap_01_the_unit_of_the_loss_is_never_zero() {
        let check =
            |rows: &[&[f32]], expected: f64| assert_eq!(variance(&matrix(rows)).unwrap(), expected);
        check(&[&[1.0, 0.0], &[3.0, 0.0]], 1.0);
        check(&[&[3.0, 4.0]], 25.0);
        check(&[&[0.0, 0.0], &[0.0, 0.0]], 1.0);
        // Rows all equal, whose mean does not come out exact.
        let equal: &[f32] = &[0.1, 0.2];
        assert!((variance(&matrix(&[equal; 7])).unwrap() - 0.05).abs() < 1e-8);
    }

    #[test]
    fn decoder_rows_are_unit_and_point_at_training_rows() {
        let x = matrix(&[&[1.0, 0.0, 0.0], &[0.0, 2.0, 0.0], &[0.0, 0.0, 0.0]]);
        let options = TrainOptions { n_neurons: 5, ..TrainOptions::default() };
        let rows = directions(&x, &[0.0; 3], &options).unwrap();
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
        let rows = directions(&x, &[0.0; 2], &options).unwrap();
        assert!((1..4).all(|j| rows.row(j) != rows.row(0)));
    }

    #[test]
    fn seed_and_label_change_the_start() {
        let x = matrix(&[&[1.0, 0.5], &[0.0, 2.0]]);
        let options = TrainOptions { n_neurons: 3, ..TrainOptions::default() };
        let other_seed = TrainOptions { seed: 1, ..options.clone() };
        let other_label = TrainOptions { label: "1".to_owned(), ..options.clone() };
        let start = |options| directions(&x, &[0.0; 2], options).unwrap();
        assert_eq!(start(&options), start(&options));
        assert_ne!(start(&options), start(&other_seed));
        assert_ne!(start(&options), start(&other_label));
    }
}
