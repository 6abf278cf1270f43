//! How much one neuron repeats another: correlation of activations, cosine of decoder rows, and
//! which neurons to leave out because they do.

use crate::error::{Error, Result};
use crate::moments::weighted;
use crate::{Activations, Matrix, Setting};

/// How alike the chosen neurons are, two by two; `None` where one of the two does not vary.
pub type Alike = Vec<Vec<Option<f64>>>;

/// Correlation of the activations of every two of `neurons`, over all rows, weighted.
///
/// Pearson's; without centring, as of pairs, the cosine. O(nnz + rows * those that fire, squared);
/// sums run in row order. Controls, offset and exclusions of the setting are not looked at.
///
/// # Errors
/// [`Error::Option`] for a neuron that does not exist; what [`Setting::check`] finds.
pub fn correlations(z: &Activations, neurons: &[usize], setting: &Setting) -> Result<Alike> {
    setting.check(z)?;
    check_neurons(neurons, z.neurons())?;
    let moments = weighted(z, setting.weights.as_deref(), setting.centred);
    let of = |k: usize| (moments[neurons[k]].mean, moments[neurons[k]].sd);
    let total: f64 = (0..z.rows()).map(|i| setting.weight(i)).sum();
    let products = products(z, neurons, setting);
    let alike = |a: usize, b: usize| {
        let ((mean_a, sd_a), (mean_b, sd_b)) = (of(a), of(b));
        let scale = sd_a * sd_b;
        let covariance = products[a][b] / total - mean_a * mean_b;
        (scale > 0.0).then(|| (covariance / scale).clamp(-1.0, 1.0))
    };
    Ok(table(neurons.len(), alike))
}

/// Sums over the rows of the weighted products of every two neurons.
fn products(z: &Activations, neurons: &[usize], setting: &Setting) -> Vec<Vec<f64>> {
    let mut places: Vec<Vec<usize>> = vec![vec![]; z.neurons()];
    neurons.iter().enumerate().for_each(|(k, j)| places[*j].push(k));
    let mut products = vec![vec![0.0; neurons.len()]; neurons.len()];
    for i in (0..z.rows()).filter(|&i| setting.weight(i) > 0.0) {
        let firing: Vec<(usize, f64)> = z
            .pairs(i)
            .flat_map(|(j, v)| places[j].iter().map(move |&k| (k, f64::from(v))))
            .collect();
        for &(a, x) in &firing {
            let weighted = setting.weight(i) * x;
            for &(b, y) in &firing {
                products[a][b] += weighted * y;
            }
        }
    }
    products
}

/// Cosine of the decoder rows of every two of `neurons`. `decoder`: m x d. O(k^2 d).
///
/// # Errors
/// [`Error::Option`] for a neuron that does not exist; [`Error::NotFinite`].
pub fn cosines(decoder: &Matrix, neurons: &[usize]) -> Result<Alike> {
    decoder.check_finite("decoder")?;
    check_neurons(neurons, decoder.rows())?;
    let dot = |a: usize, b: usize| -> f64 {
        let pairs = decoder.row(neurons[a]).iter().zip(decoder.row(neurons[b]));
        pairs.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
    };
    let size: Vec<f64> = (0..neurons.len()).map(|a| dot(a, a).sqrt()).collect();
    let cosine = |a: usize, b: usize| {
        let scale = size[a] * size[b];
        (scale > 0.0).then(|| (dot(a, b) / scale).clamp(-1.0, 1.0))
    };
    Ok(table(neurons.len(), cosine))
}

/// For every neuron the one before it in the list that is most like it, and how much: the first
/// of several; `None` where nothing before it can be compared.
#[must_use]
pub fn nearest(alike: &Alike) -> Vec<Option<(usize, f64)>> {
    let nearest = |(a, row): (usize, &Vec<Option<f64>>)| {
        let before = row[..a].iter().enumerate().filter_map(|(b, v)| Some((b, (*v)?)));
        before.reduce(|best, next| if next.1 > best.1 { next } else { best })
    };
    alike.iter().enumerate().map(nearest).collect()
}

/// Places of the neurons to keep: each, in order, unless it is more than `maximum` like one that is
/// kept already, by any of `tables` (the same neurons in the same order).
///
/// # Errors
/// [`Error::Shape`] if the tables differ in size; [`Error::Option`] if `maximum` is not between -1
/// and 1.
pub fn distinct(tables: &[Alike], maximum: f64) -> Result<Vec<usize>> {
    if !(-1.0..=1.0).contains(&maximum) {
        return Err(Error::option("max_redundancy", maximum, "-1 to 1"));
    }
    let n = tables.first().map_or(0, Vec::len);
    tables.iter().try_for_each(|t| Error::check_len("table", t.len(), n))?;
    let mut kept: Vec<usize> = Vec::new();
    for a in 0..n {
        let twin = |b: &usize| tables.iter().any(|t| t[a][*b].is_some_and(|v| v > maximum));
        if !kept.iter().any(twin) {
            kept.push(a);
        }
    }
    Ok(kept)
}

fn check_neurons(neurons: &[usize], n: usize) -> Result<()> {
    match neurons.iter().find(|j| **j >= n) {
        Some(j) => Err(Error::option("neurons", j, format!("below {n}"))),
        None => Ok(()),
    }
}

fn table(n: usize, alike: impl Fn(usize, usize) -> Option<f64>) -> Alike {
    (0..n).map(|a| (0..n).map(|b| alike(a.min(b), a.max(b))).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Activations {
        // The second is twice the first, the third its mirror, the fourth never fires.
        let rows = [[1.0, 2.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [1.0, 2.0, 0.0, 0.0]];
        Activations::from_dense(4, &rows.map(|r| r.to_vec())).unwrap()
    }

    #[test]
    fn correlations_by_hand() {
        let found = correlations(&sample(), &[0, 1, 2, 3], &Setting::default()).unwrap();
        let close = |v: Option<f64>, e: f64| assert!((v.unwrap() - e).abs() < 1e-12, "{v:?} {e}");
        close(found[0][1], 1.0);
        close(found[2][0], -1.0);
        close(found[2][2], 1.0);
        assert_eq!(found[3], [None; 4]);
        let pairs = correlations(&sample(), &[0, 2], &Setting::pairs()).unwrap();
        close(pairs[0][1], 0.0);
    }

    #[test]
    fn a_weight_counts_as_so_many_rows() {
        let rows = [[1.0, 0.5], [0.0, 1.0], [2.0, 0.0], [0.5, 3.0]].map(|r| r.to_vec());
        let z = Activations::from_dense(2, &rows).unwrap();
        let weights = Some(vec![2.0, 1.0, 3.0, 0.0]);
        let setting = Setting { weights, ..Setting::default() };
        let found = correlations(&z, &[0, 1], &setting).unwrap()[0][1].unwrap();
        let repeated = z.gather(&[0, 0, 1, 2, 2, 2]);
        let plain = correlations(&repeated, &[0, 1], &Setting::default()).unwrap()[0][1].unwrap();
        assert!((found - plain).abs() < 1e-14);
    }

    #[test]
    fn cosines_by_hand() {
        let decoder = Matrix::from_vec(3, 2, vec![1.0, 0.0, 1.0, 1.0, 0.0, 0.0]).unwrap();
        let found = cosines(&decoder, &[1, 0, 2]).unwrap();
        assert!((found[0][1].unwrap() - 0.5_f64.sqrt()).abs() < 1e-7);
        assert_eq!((found[0][2], found[1][1]), (None, Some(1.0)));
        assert!(cosines(&decoder, &[3]).is_err());
    }

    #[test]
    fn twins_of_kept_neurons_go_and_others_stay() {
        let like = |a: f64, b: f64, c: f64| {
            vec![
                vec![Some(1.0), Some(a), Some(b)],
                vec![Some(a), Some(1.0), Some(c)],
                vec![Some(b), Some(c), Some(1.0)],
            ]
        };
        // The third is like the second alone, which goes: so it stays.
        assert_eq!(distinct(&[like(0.9, 0.1, 0.95)], 0.8).unwrap(), [0, 2]);
        assert_eq!(distinct(&[like(0.1, 0.1, 0.1), like(0.1, 0.9, 0.1)], 0.8).unwrap(), [0, 1]);
        assert_eq!(distinct(&[like(0.9, 0.9, 0.9)], 1.0).unwrap(), [0, 1, 2]);
        assert!(distinct(&[], f64::NAN).is_err());
        assert_eq!(nearest(&like(0.2, 0.3, 0.4)), [None, Some((0, 0.2)), Some((1, 0.4))]);
    }
}
