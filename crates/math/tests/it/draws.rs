//! Random data for simulations.

use hypothesaes_math::random::Stream;
use rand::RngExt;

pub fn normal(random: &mut Stream) -> f64 {
    // Twelve uniform numbers: variance 1, close enough to a normal one.
    (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0
}

/// Rows, the cluster of each, and a noise and a leaning that its rows share.
pub struct Rows {
    pub clusters: Vec<u32>,
    pub noise: Vec<f64>,
    pub leaning: Vec<f64>,
}

impl Rows {
    pub fn new(random: &mut Stream, clusters: u32, mean_size: u32) -> Self {
        let mut rows = Self { clusters: vec![], noise: vec![], leaning: vec![] };
        for g in 0..clusters {
            let (noise, leaning) = (normal(random), random.random_range(0.2..0.6));
            for _ in 0..random.random_range(mean_size / 2..=mean_size * 3 / 2) {
                rows.clusters.push(g);
                rows.noise.push(noise);
                rows.leaning.push(leaning);
            }
        }
        rows
    }

    pub fn column(&self, random: &mut Stream) -> Vec<f64> {
        self.leaning.iter().map(|p| flag(random, *p)).collect()
    }
}

pub fn flag(random: &mut Stream, chance: f64) -> f64 {
    f64::from(u8::from(random.random_bool(chance)))
}

pub fn expit(e: f64) -> f64 {
    1.0 / (1.0 + (-e).exp())
}

pub fn poisson(random: &mut Stream, mean: f64) -> f64 {
    let (mut count, mut left) = (0.0, (-mean).exp());
    let mut u: f64 = random.random();
    while u > left && count < 200.0 {
        u -= left;
        count += 1.0;
        left *= mean / count;
    }
    count
}

/// A gamma variate of mean 1 and variance 1/2.
pub fn gamma(random: &mut Stream) -> f64 {
    -0.5 * ((1.0 - random.random::<f64>()) * (1.0 - random.random::<f64>())).ln()
}
