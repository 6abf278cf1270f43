//! Standard errors that hold when rows belong together (CR3, CR2, CR1).

use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;

use super::design::gram_of;
use super::robust::{PART, SLACK, SOLE, Sandwich};
use super::{Design, Entries, Fit};

/// Clusters handled by one piece of parallel work; the pieces' sums are added in order.
const PIECE: usize = 64;
/// Eigenvalue below which a direction has no part in a cluster.
const NONE: f64 = 1e-14;

/// Rows by cluster, in the order of the clusters' numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Clusters {
    rows: Vec<usize>,
    starts: Vec<usize>,
}

impl Clusters {
    /// From a number per row; rows without weight belong nowhere.
    pub fn new(codes: &[u32], weights: &[f64]) -> Self {
        let mut rows = Vec::with_capacity(codes.len());
        rows.extend((0..codes.len()).filter(|&i| weights[i] > 0.0));
        rows.sort_by_key(|&i| codes[i]);
        let mut starts: Vec<usize> = (0..rows.len())
            .filter(|&at| at == 0 || codes[rows[at]] != codes[rows[at - 1]])
            .collect();
        starts.push(rows.len());
        Self { rows, starts }
    }

    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    pub fn rows(&self, g: usize) -> &[usize] {
        &self.rows[self.starts[g]..self.starts[g + 1]]
    }

    /// What `of` says of every cluster, in order.
    pub fn map<T: Send>(&self, of: impl Fn(&[usize]) -> T + Sync) -> Vec<T> {
        (0..self.len()).into_par_iter().map(|g| of(self.rows(g))).collect()
    }

    /// `sum over rows of v_i x_i`, one vector of p per cluster.
    pub fn sums(&self, x: &Design, v: &[f64]) -> Vec<DVector<f64>> {
        let of = |entries: &mut Entries, g| sum(entries, x.cols(), v, self.rows(g));
        let clusters = (0..self.len()).into_par_iter().with_min_len(PIECE);
        clusters.map_init(|| x.entries(), of).collect()
    }
}

fn sum(entries: &mut Entries, p: usize, v: &[f64], rows: &[usize]) -> DVector<f64> {
    let mut sum = DVector::zeros(p);
    for &i in rows {
        entries.row(i).iter().for_each(|(j, value)| sum[*j] += v[i] * value);
    }
    sum
}

/// CR2 covariance with Satterthwaite degrees of freedom for the coefficients `tested`.
///
/// With `r_i = sqrt(w_i) x_i`, `B = (x'wx)^-1 = L L'` and the hat matrix `H = r B r'`:
///
/// ```text
/// V    = B (sum_g r_g' A_g e_g e_g' A_g r_g) B,   A_g = (1 - H_gg)^-1/2
/// a_g  = A_g r_g b_l,   u_g = L' r_g' a_g
/// df_l = (sum_g |a_g|^2 - |u_g|^2)^2
///        / (sum_g |a_g|^4 - 2 |a_g|^2 |u_g|^2 + |sum_g u_g u_g'|^2)
/// ```
///
/// `A_g` makes `V` unbiased when the working weights are right; `df` then matches its first two
/// moments. `A_g` is the identity off the columns of `r_g`, and on them it is known from the
/// eigenvalues `k` and vectors of `L' r_g' r_g L`: `(1 - k)^-1/2`. So nothing of a cluster's size
/// squared is ever made. A direction that a cluster decides alone (`k = 1`) has no residual and is
/// left out, as in the generalised inverse.
///
/// O(n p^2 + G p^3); a small cluster counts with its size instead of p. The last sum is bounded as
/// in [`super::robust::hc3`].
///
/// Source: Bell and McCaffrey (2002), Survey Methodology 28; Pustejovsky and Tipton (2018), J. Bus.
/// Econ. Stat. 36; the R package `clubSandwich` (with inverse-variance weights).
pub(super) fn cr2(x: &Design, fit: &Fit, clusters: &Clusters, tested: &[bool]) -> Option<Sandwich> {
    let p = x.cols();
    let kernel = Kernel::new(x, fit, clusters)?;
    let sums = kernel.sums(Direction::inflation);
    let wanted = (0..p).filter(|&l| tested[l] && !sums.sole[l]);
    let exact: Vec<usize> = wanted.clone().filter(|&l| !sums.is_bounded(l)).collect();
    let mut shared: Vec<f64> = (0..p).map(|l| sums.bound(l)).collect();
    exact.iter().zip(kernel.shared(&exact)).for_each(|(&l, sum)| shared[l] = sum);
    let mut df = vec![None; p];
    wanted.for_each(|l| df[l] = sums.satterthwaite(l, shared[l]));
    Some(Sandwich { covariance: sums.covariance, df, sole: sums.sole })
}

/// CR3 covariance, with `G - 1` degrees of freedom for the coefficients `tested`: that of the
/// jackknife, which leaves out every cluster in turn,
///
/// ```text
/// (G - 1) / G sum_g (b_-g - b) (b_-g - b)',   b - b_-g = B_-g r_g' e_g
/// ```
///
/// exact in least squares, one step of it in a likelihood. As [`cr2`] with `A_g = (1 - H_gg)^-1`.
///
/// Source: MacKinnon, Nielsen and Webb (2023), Fast and reliable jackknife and bootstrap methods for
/// cluster-robust inference, J. Appl. Econometrics 38.
pub(super) fn cr3(x: &Design, fit: &Fit, clusters: &Clusters, tested: &[bool]) -> Option<Sandwich> {
    let sums = Kernel::new(x, fit, clusters)?.sums(|of| of.inflation().powi(2));
    let g = clusters.len() as f64;
    let df = |l: usize| (tested[l] && !sums.sole[l]).then_some(g - 1.0);
    let df = (0..x.cols()).map(df).collect();
    Some(Sandwich { covariance: sums.covariance * ((g - 1.0) / g), df, sole: sums.sole })
}

/// CR1 covariance, `G / (G - 1) (n - 1) / (n - k)` times the plain one, for a fit that spent `k`
/// coefficients, the absorbed ones included, on `n` rows; all `df` are `G - 1`.
///
/// Source: Liang and Zeger (1986), Biometrika 73; the factor is Stata's.
pub(super) fn cr1(x: &Design, fit: &Fit, clusters: &Clusters, n: usize, k: usize) -> Sandwich {
    let p = x.cols();
    let g = clusters.len() as f64;
    let known = n > k && clusters.len() > 1;
    let scale = if known { g / (g - 1.0) * (n - 1) as f64 / (n - k) as f64 } else { 0.0 };
    let scores = clusters.sums(x, &fit.scores);
    let zero = DMatrix::zeros(p, p);
    let meat = scores.into_iter().fold(zero, |sum, s| sum + &s * s.transpose());
    let covariance = &fit.inverse * meat * &fit.inverse * scale;
    Sandwich { covariance, df: vec![known.then_some(g - 1.0); p], sole: vec![!known; p] }
}

/// Sums over clusters.
struct Sums {
    covariance: DMatrix<f64>,
    /// Per coefficient: sums of `|a|^2 - |u|^2`, `|a|^4 - 2 |a|^2 |u|^2` and `|u|^2`, the largest
    /// `|a|^2`.
    first: Vec<f64>,
    own: Vec<f64>,
    shared: Vec<f64>,
    largest: Vec<f64>,
    sole: Vec<bool>,
}

impl Sums {
    fn new(p: usize) -> Self {
        let zeros = || vec![0.0; p];
        Self {
            covariance: DMatrix::zeros(p, p),
            first: zeros(),
            own: zeros(),
            shared: zeros(),
            largest: zeros(),
            sole: vec![false; p],
        }
    }

    fn plus(mut self, other: Self) -> Self {
        let add = |a: &mut [f64], b: &[f64]| a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
        self.covariance += other.covariance;
        add(&mut self.first, &other.first);
        add(&mut self.own, &other.own);
        add(&mut self.shared, &other.shared);
        self.largest.iter_mut().zip(other.largest).for_each(|(a, b)| *a = a.max(b));
        self.sole.iter_mut().zip(other.sole).for_each(|(a, b)| *a |= b);
        self
    }
}

impl Sums {
    /// What the last sum of the degrees of freedom is at most.
    fn bound(&self, l: usize) -> f64 {
        self.largest[l] * self.shared[l]
    }

    fn is_bounded(&self, l: usize) -> bool {
        self.bound(l) <= SLACK * self.own[l]
    }

    fn satterthwaite(&self, l: usize, shared: f64) -> Option<f64> {
        let df = self.first[l].powi(2) / (self.own[l] + shared);
        df.is_finite().then(|| df.max(1.0))
    }
}

/// A direction of a cluster's columns, of length 1, with its eigenvalue.
struct Direction {
    value: f64,
    vector: DVector<f64>,
}

impl Direction {
    /// `(1 - k)^-1/2`, or 0 where the cluster decides alone.
    fn inflation(&self) -> f64 {
        if self.is_sole() { 0.0 } else { 1.0 / (1.0 - self.value).sqrt() }
    }

    fn is_sole(&self) -> bool {
        1.0 - self.value < SOLE
    }
}

struct Kernel<'a> {
    x: &'a Design<'a>,
    fit: &'a Fit,
    clusters: &'a Clusters,
    /// `L`, p x p, lower triangular.
    root: DMatrix<f64>,
    /// `L'`.
    across: DMatrix<f64>,
}

impl<'a> Kernel<'a> {
    fn new(x: &'a Design<'a>, fit: &'a Fit, clusters: &'a Clusters) -> Option<Self> {
        let root = fit.inverse.clone().cholesky()?.unpack();
        let across = root.transpose();
        Some(Self { x, fit, clusters, root, across })
    }

    /// Over all clusters, whose scores grow by `inflation` in every direction.
    fn sums(&self, inflation: impl Fn(&Direction) -> f64 + Sync) -> Sums {
        let p = self.x.cols();
        let pieces = self.in_pieces(|groups| {
            let (mut sums, mut entries) = (Sums::new(p), self.x.entries());
            groups.for_each(|g| self.add(g, &mut entries, &inflation, &mut sums));
            sums
        });
        pieces.into_iter().fold(Sums::new(p), Sums::plus)
    }

    fn in_pieces<T: Send>(&self, work: impl Fn(std::ops::Range<usize>) -> T + Sync) -> Vec<T> {
        let n = self.clusters.len();
        let piece = |at: usize| work(at * PIECE..n.min((at + 1) * PIECE));
        (0..n.div_ceil(PIECE)).into_par_iter().map(piece).collect()
    }

    /// The directions of `L' r_g' r_g L` that are not 0, from the smaller of that and `r_g B r_g'`.
    fn directions(&self, g: usize, entries: &mut Entries) -> Vec<Direction> {
        let rows = self.clusters.rows(g);
        if rows.len() >= self.x.cols() {
            let (p, rows) = (self.x.cols(), rows.iter().copied());
            let mut gram = gram_of(entries, p, rows, &self.fit.weights);
            gram.fill_upper_triangle_with_lower_triangle();
            let eigen = (&self.across * gram * &self.root).symmetric_eigen();
            let all = eigen.eigenvalues.iter().zip(eigen.eigenvectors.column_iter());
            return all
                .filter(|(value, _)| **value > NONE)
                .map(|(&value, vector)| Direction { value, vector: vector.into() })
                .collect();
        }
        let mut turned = DMatrix::zeros(self.x.cols(), rows.len());
        for (at, &i) in rows.iter().enumerate() {
            let weight = self.fit.weights[i].sqrt();
            let mut column = turned.column_mut(at);
            for (j, x) in entries.row(i) {
                column.axpy(weight * x, &self.across.column(*j), 1.0);
            }
        }
        let eigen = turned.tr_mul(&turned).symmetric_eigen();
        let all = eigen.eigenvalues.iter().zip(eigen.eigenvectors.column_iter());
        all.filter(|(value, _)| **value > NONE)
            .map(|(&value, vector)| Direction { value, vector: &turned * vector / value.sqrt() })
            .collect()
    }

    fn add(
        &self,
        g: usize,
        entries: &mut Entries,
        inflation: impl Fn(&Direction) -> f64,
        sums: &mut Sums,
    ) {
        let directions = self.directions(g, entries);
        let score = sum(entries, self.x.cols(), &self.fit.scores, self.clusters.rows(g));
        let mut turned = self.root.tr_mul(&score);
        for direction in &directions {
            let part = direction.vector.dot(&turned);
            turned.axpy((inflation(direction) - 1.0) * part, &direction.vector, 1.0);
        }
        let pull = &self.root * turned;
        sums.covariance.ger(1.0, &pull, &pull, 1.0);
        for l in 0..self.x.cols() {
            let (mut a, mut u) = (0.0, 0.0);
            let most = self.fit.inverse[(l, l)].sqrt();
            for direction in &directions {
                let part = self.part(l, direction);
                sums.sole[l] |= direction.is_sole() && part.abs() > PART * most;
                let square = direction.value * (direction.inflation() * part).powi(2);
                a += square;
                u += square * direction.value;
            }
            sums.first[l] += a - u;
            sums.own[l] += a * a - 2.0 * a * u;
            sums.shared[l] += u;
            sums.largest[l] = sums.largest[l].max(a);
        }
    }

    /// The part of row `l` of `L` that lies in a direction.
    fn part(&self, l: usize, direction: &Direction) -> f64 {
        (0..=l).map(|k| self.root[(l, k)] * direction.vector[k]).sum()
    }

    /// `|sum_g u_g u_g'|^2` for the coefficients `wanted`.
    fn shared(&self, wanted: &[usize]) -> Vec<f64> {
        if wanted.is_empty() {
            return Vec::new();
        }
        let p = self.x.cols();
        let zeros = || vec![DMatrix::zeros(p, p); wanted.len()];
        let pieces = self.in_pieces(|groups| {
            let (mut sums, mut entries) = (zeros(), self.x.entries());
            for g in groups {
                let directions = self.directions(g, &mut entries);
                for (sum, &l) in sums.iter_mut().zip(wanted) {
                    let mut u = DVector::zeros(p);
                    for d in &directions {
                        u.axpy(d.value * d.inflation() * self.part(l, d), &d.vector, 1.0);
                    }
                    sum.ger(1.0, &u, &u, 1.0);
                }
            }
            sums
        });
        let plus = |mut all: Vec<DMatrix<f64>>, piece: Vec<DMatrix<f64>>| {
            all.iter_mut().zip(piece).for_each(|(sum, part)| *sum += part);
            all
        };
        pieces.into_iter().fold(zeros(), plus).iter().map(DMatrix::norm_squared).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::regression::{Columns, least_squares, robust};

    #[test]
    fn clusters_of_one_row_are_hc2() {
        // With a single column CR2 is then the sum of squares over n (n - 1).
        let columns = Columns::none(4);
        let x = Design::new(&columns);
        let y = [1.0, 2.0, 4.0, 9.0];
        let fit = least_squares::fit(&x, &y).unwrap();
        let clusters = Clusters::new(&[3, 1, 2, 0], &[1.0; 4]);
        let found = cr2(&x, &fit, &clusters, &[true]).unwrap();
        assert!((found.covariance[(0, 0)] - 38.0 / 12.0).abs() < 1e-12, "{found:?}");
        assert!((found.df[0].unwrap() - 3.0).abs() < 1e-12, "{found:?}");
    }

    #[test]
    fn equal_clusters_count_once() {
        let columns = Columns::none(8);
        let x = Design::new(&columns);
        let y = [1.0, 1.0, 2.0, 2.0, 4.0, 4.0, 9.0, 9.0];
        let fit = least_squares::fit(&x, &y).unwrap();
        let clusters = Clusters::new(&[0, 0, 1, 1, 2, 2, 3, 3], &[1.0; 8]);
        let found = cr2(&x, &fit, &clusters, &[true]).unwrap();
        assert!((found.covariance[(0, 0)] - 38.0 / 12.0).abs() < 1e-12, "{found:?}");
        assert!((found.df[0].unwrap() - 3.0).abs() < 1e-12, "{found:?}");
    }

    #[test]
    fn a_column_of_one_cluster_has_no_standard_error() {
        let columns = Columns::new(6, &[vec![1.0, 1.0, 0.0, 0.0, 0.0, 0.0]]).unwrap();
        let x = Design::new(&columns);
        let fit = least_squares::fit(&x, &[1.0, 3.0, 2.0, 5.0, 4.0, 4.5]).unwrap();
        let clusters = Clusters::new(&[0, 0, 1, 1, 2, 2], &[1.0; 6]);
        let found = cr2(&x, &fit, &clusters, &[true; 2]).unwrap();
        assert_eq!(found.std_error(1), None);
        assert!(found.std_error(0).is_some());
        assert!(robust::hc3(&x, &fit, None, &[true; 2]).std_error(1).is_some());
    }
}
