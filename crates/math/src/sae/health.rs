//! Which neurons can be trusted: how often they fire, and which say the same.

use super::Sae;
use crate::activations::Activations;
use crate::error::{Error, Result};
use crate::matrix::Matrix;
use crate::vector::{dot, squared_norm};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Share of rows from which on a neuron that fires says hardly anything.
pub const ULTRA_DENSE: f64 = 0.5;
/// Cosine of decoder rows from which on two neurons count as the same.
pub const SAME: f32 = 0.7;
/// Where the classes of the histogram of densities begin; the first begins above 0.
pub const DENSITIES: [f64; 7] = [0.0, 1e-4, 1e-3, 1e-2, 0.05, 0.2, ULTRA_DENSE];

/// A neuron's part in [`Health`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct NeuronHealth {
    /// Share of the rows on which it fires.
    pub density: f64,
    /// Cosine of its decoder row and of the nearest other one; `None` if it is the only neuron.
    pub nearest_cosine: Option<f32>,
    /// That other neuron.
    pub nearest: Option<usize>,
    /// Cosine with the nearest neuron of another training, if there was one.
    pub twin_cosine: Option<f32>,
}

/// How an autoencoder's neurons do on the rows of some activations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Health {
    pub n_rows: usize,
    pub n_neurons: usize,
    /// Neurons that fire on at least one row.
    pub n_alive: usize,
    pub n_dead: usize,
    /// Neurons that fire on more than half of the rows.
    pub n_ultra_dense: usize,
    /// Mean number of neurons that fire on a row.
    pub mean_active: f64,
    /// Living neurons by density: as many as lie above each of [`DENSITIES`] and not above the next.
    pub densities: Vec<usize>,
    /// Living neurons with another living one of cosine above [`SAME`].
    pub n_redundant: usize,
    /// Share of the living neurons with a neuron of cosine above [`SAME`] in another training.
    pub stability: Option<f64>,
    /// By neuron.
    pub neurons: Vec<NeuronHealth>,
}

impl Sae {
    /// How the neurons do on the rows that `z` (n x m) was encoded from, and whether `twin`, trained
    /// with other random numbers, found them too. About m^2 d operations, twice with a twin.
    ///
    /// # Errors
    /// [`Error::Shape`] if the activations or the twin are not of this size; [`Error::Data`] without
    /// rows.
    pub fn health(&self, z: &Activations, twin: Option<&Self>) -> Result<Health> {
        Error::check_len("neurons of the activations", z.neurons(), self.n_neurons())?;
        if z.rows() == 0 {
            return Err(Error::Data("the health of neurons needs at least one row".to_owned()));
        }
        let n = z.rows() as f64;
        let fired: Vec<usize> = z.columns().iter().map(|(rows, _)| rows.len()).collect();
        let alive: Vec<bool> = fired.iter().map(|&count| count > 0).collect();
        let decoder = &self.parts().decoder;
        let nearest = nearest(decoder, decoder, |j, other| j != other && alive[other]);
        let twins = match twin {
            None => vec![None; alive.len()],
            Some(twin) => {
                Error::check_len("dimensions of the other training", twin.dim(), self.dim())?;
                nearest_of(decoder, &twin.parts().decoder)
            }
        };
        let neurons: Vec<NeuronHealth> = fired
            .iter()
            .zip(nearest)
            .zip(twins)
            .map(|((&count, nearest), twin)| NeuronHealth {
                density: count as f64 / n,
                nearest_cosine: nearest.map(|n| n.1),
                nearest: nearest.map(|n| n.0),
                twin_cosine: twin.map(|t| t.1),
            })
            .collect();
        let living = || neurons.iter().filter(|neuron| neuron.density > 0.0);
        let n_alive = living().count();
        let same = |cosine: Option<f32>| cosine.is_some_and(|c| c > SAME);
        let found_again = living().filter(|n| same(n.twin_cosine)).count() as f64;
        Ok(Health {
            n_rows: z.rows(),
            n_neurons: neurons.len(),
            n_alive,
            n_dead: neurons.len() - n_alive,
            n_ultra_dense: living().filter(|n| n.density > ULTRA_DENSE).count(),
            mean_active: z.len() as f64 / n,
            densities: histogram(living().map(|n| n.density)),
            n_redundant: living().filter(|n| same(n.nearest_cosine)).count(),
            stability: twin.filter(|_| n_alive > 0).map(|_| found_again / n_alive as f64),
            neurons,
        })
    }
}

fn histogram(densities: impl Iterator<Item = f64>) -> Vec<usize> {
    let mut counts = vec![0; DENSITIES.len()];
    for density in densities {
        counts[DENSITIES.partition_point(|&from| from < density) - 1] += 1;
    }
    counts
}

/// For every row of `of` the row of `among` with the largest cosine, and that cosine.
fn nearest_of(of: &Matrix, among: &Matrix) -> Vec<Option<(usize, f32)>> {
    nearest(of, among, |_, _| true)
}

/// The same among the rows that `allowed` lets stand beside a row. Of equal ones the first.
fn nearest(
    of: &Matrix,
    among: &Matrix,
    allowed: impl Fn(usize, usize) -> bool + Sync,
) -> Vec<Option<(usize, f32)>> {
    let length = |row: &[f32]| squared_norm(row).sqrt();
    let lengths: Vec<f32> = (0..among.rows()).map(|i| length(among.row(i))).collect();
    let nearest_to = |j: usize| {
        let (row, own) = (of.row(j), length(of.row(j)));
        let mut best = None;
        for (other, &its) in lengths.iter().enumerate().filter(|&(other, _)| allowed(j, other)) {
            let cosine = match own * its {
                product if product > 0.0 => dot(row, among.row(other)) / product,
                _ => 0.0,
            };
            if best.is_none_or(|(_, highest)| cosine > highest) {
                best = Some((other, cosine));
            }
        }
        best
    };
    (0..of.rows()).into_par_iter().map(nearest_to).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{TrainOptions, init};
    use super::*;

    fn sae(decoder: &[[f32; 3]]) -> Sae {
        let x = Matrix::from_vec(2, 3, vec![1.0, 0.0, 0.0, 0.0, 1.0, 0.0]).unwrap();
        let options = TrainOptions { n_neurons: decoder.len(), k: 1, ..TrainOptions::default() };
        let mut parts = init::alone(&x, &options);
        parts.decoder = Matrix::from_vec(decoder.len(), 3, decoder.concat()).unwrap();
        Sae::from_parts(parts).unwrap()
    }

    #[test]
    fn neurons_are_counted_by_how_often_they_fire_and_what_they_are_near() {
        let first = sae(&[[1.0, 0.0, 0.0], [0.8, 0.6, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]);
        let second = sae(&[[0.0, 0.6, 0.8], [0.0, -1.0, 0.0], [0.9, 0.1, 0.0], [0.0, -1.0, 0.0]]);
        // Neuron 3, which is equal to neuron 0, never fires.
        let rows: Vec<Vec<f32>> = (0..10)
            .map(|i| vec![1.0, f32::from(u8::from(i == 4)), f32::from(u8::from(i % 5 == 0)), 0.0])
            .collect();
        let z = Activations::from_dense(4, &rows).unwrap();
        let health = first.health(&z, Some(&second)).unwrap();
        let densities: Vec<f64> = health.neurons.iter().map(|n| n.density).collect();
        assert_eq!(densities, [1.0, 0.1, 0.2, 0.0]);
        assert_eq!((health.n_alive, health.n_dead, health.n_ultra_dense), (3, 1, 1));
        assert!((health.mean_active - 1.3).abs() < 1e-12);
        assert_eq!(health.densities, [0, 0, 0, 0, 2, 0, 1]);
        let nearest: Vec<_> = health.neurons.iter().map(|n| n.nearest).collect();
        assert_eq!(nearest, [Some(1), Some(0), Some(0), Some(0)]);
        assert_eq!(health.n_redundant, 2);
        let twins: Vec<f32> = health.neurons.iter().map(|n| n.twin_cosine.unwrap()).collect();
        for (got, expected) in twins.iter().zip([0.9939, 0.8614, 0.8, 0.9939]) {
            assert!((got - expected).abs() < 1e-4, "{twins:?}");
        }
        assert_eq!(health.stability, Some(1.0));
        let alone = first.health(&z, None).unwrap();
        assert_eq!((alone.stability, alone.neurons[0].twin_cosine), (None, None));
        assert!(first.health(&Activations::new(4), None).is_err());
        assert!(first.health(&Activations::new(3), None).is_err());
    }
}
