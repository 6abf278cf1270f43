//! A loss near one linear predictor: value, slopes and curvatures, the absorbed factor eliminated.

use rayon::prelude::*;

use super::entries::Entries;
use super::family::Family;
use super::layout::Layout;

/// Rows summed by one piece of parallel work; the pieces' sums are added in order.
const CHUNK: usize = 4096;

/// `k` dimensions: numeric controls, levels, neurons.
#[derive(Default)]
pub(super) struct Local {
    /// Sum of the losses of the rows.
    pub loss: f64,
    /// Weighted slope and curvature of every row's loss.
    pub residuals: Vec<f64>,
    pub variances: Vec<f64>,
    /// Gradient, and upper triangle of the k x k second derivatives, once the levels of the
    /// absorbed factor follow what the others do.
    pub gradient: Vec<f64>,
    pub hessian: Vec<f64>,
}

/// What a row is made of.
pub(super) struct Rows<'a> {
    pub data: &'a Layout<'a>,
    pub entries: &'a Entries,
    pub family: Family,
    pub y: &'a [f64],
    pub weights: &'a [f64],
    /// Dimensions.
    pub k: usize,
}

/// Sums over some rows; `open` are the levels that may go on in other pieces.
struct Piece {
    loss: f64,
    gradient: Vec<f64>,
    hessian: Vec<f64>,
    open: Vec<Level>,
}

/// Sums over a level of the absorbed factor.
struct Level {
    number: usize,
    slope: f64,
    curvature: f64,
    /// Curvature times each dimension, and the dimensions that are not 0.
    pulls: Vec<f64>,
    touched: Vec<usize>,
}

impl Rows<'_> {
    /// At the linear predictors `eta`, the offset included. O(rows + entries squared per row).
    pub fn local(&self, eta: &[f64]) -> Local {
        let mut local = Local {
            residuals: vec![0.0; eta.len()],
            variances: vec![0.0; eta.len()],
            gradient: vec![0.0; self.k],
            hessian: vec![0.0; self.k * self.k],
            ..Local::default()
        };
        let outputs =
            local.residuals.par_chunks_mut(CHUNK).zip(local.variances.par_chunks_mut(CHUNK));
        let pieces: Vec<Piece> = outputs
            .enumerate()
            .map(|(piece, (residuals, variances))| {
                self.piece(piece * CHUNK, eta, residuals, variances)
            })
            .collect();
        let mut open: Option<Level> = None;
        for piece in pieces {
            local.loss += piece.loss;
            add(&mut local.gradient, &piece.gradient);
            add(&mut local.hessian, &piece.hessian);
            for level in piece.open {
                match &mut open {
                    Some(before) if before.number == level.number => before.join(&level),
                    _ => {
                        let done = open.replace(level);
                        if let Some(done) = done {
                            done.eliminate(&mut local.gradient, &mut local.hessian);
                        }
                    }
                }
            }
        }
        if let Some(last) = open {
            last.eliminate(&mut local.gradient, &mut local.hessian);
        }
        local
    }

    fn piece(
        &self,
        start: usize,
        eta: &[f64],
        slopes: &mut [f64],
        curvatures: &mut [f64],
    ) -> Piece {
        let groups = &self.data.groups;
        let end = start + slopes.len();
        let mut piece = Piece {
            loss: 0.0,
            gradient: vec![0.0; self.k],
            hessian: vec![0.0; self.k * self.k],
            open: vec![],
        };
        let mut level = Level::new(groups.partition_point(|s| *s <= start), self.k);
        let mut row = Vec::new();
        for i in start..end {
            if groups.get(level.number).is_some_and(|s| *s <= i) {
                let next = Level::new(level.number + 1, 0);
                piece.finish(&mut level, next, groups, start);
            }
            let w = self.weights[i];
            if w > 0.0 {
                let at = self.family.at(eta[i], self.y[i]);
                piece.loss += w * at.loss;
                slopes[i - start] = w * at.slope;
                curvatures[i - start] = w * at.curvature;
                self.fill(i, &mut row);
                piece.add(&mut level, &row, w * at.slope, w * at.curvature);
            }
        }
        if !groups.is_empty() {
            piece.open.push(level);
        }
        piece
    }

    /// The dimensions of row `i` that are not 0, by rising position.
    fn fill(&self, i: usize, row: &mut Vec<(usize, f64)>) {
        row.clear();
        let q = self.data.n_dense;
        row.extend(self.data.dense[i * q..(i + 1) * q].iter().copied().enumerate());
        row.extend(self.entries.row(i).iter().map(|&(position, v)| (position as usize, v)));
    }
}

impl Piece {
    fn add(&mut self, level: &mut Level, row: &[(usize, f64)], slope: f64, curvature: f64) {
        level.slope += slope;
        level.curvature += curvature;
        let k = self.gradient.len();
        for (at, &(a, x)) in row.iter().enumerate() {
            self.gradient[a] += slope * x;
            let pull = curvature * x;
            level.pull(a, pull);
            let products = &mut self.hessian[a * k..(a + 1) * k];
            row[at..].iter().for_each(|&(b, y)| products[b] += pull * y);
        }
    }

    /// Ends a level: one that lies wholly in this piece is eliminated, another left open.
    fn finish(&mut self, level: &mut Level, mut next: Level, groups: &[usize], start: usize) {
        if groups[level.number - 1] >= start {
            level.eliminate(&mut self.gradient, &mut self.hessian);
            next.pulls = std::mem::take(&mut level.pulls);
            level.touched.iter().for_each(|a| next.pulls[*a] = 0.0);
        } else {
            next.pulls = vec![0.0; level.pulls.len()];
            let done = std::mem::replace(level, Level::new(0, 0));
            self.open.push(done);
        }
        *level = next;
    }
}

impl Level {
    fn new(number: usize, k: usize) -> Self {
        Self { number, slope: 0.0, curvature: 0.0, pulls: vec![0.0; k], touched: vec![] }
    }

    fn pull(&mut self, a: usize, pull: f64) {
        if self.pulls[a] == 0.0 {
            self.touched.push(a);
        }
        self.pulls[a] += pull;
    }

    fn join(&mut self, next: &Self) {
        self.slope += next.slope;
        self.curvature += next.curvature;
        add(&mut self.pulls, &next.pulls);
        self.touched.extend(&next.touched);
    }

    /// The others' gradient and second derivatives, once this level's effect follows them.
    fn eliminate(&self, gradient: &mut [f64], hessian: &mut [f64]) {
        if self.curvature <= 0.0 {
            return;
        }
        let mut touched = self.touched.clone();
        touched.sort_unstable();
        touched.dedup();
        let k = gradient.len();
        for (at, &a) in touched.iter().enumerate() {
            let share = self.pulls[a] / self.curvature;
            gradient[a] -= share * self.slope;
            touched[at..].iter().for_each(|&b| hessian[a * k + b] -= share * self.pulls[b]);
        }
    }
}

fn add(sums: &mut [f64], parts: &[f64]) {
    sums.iter_mut().zip(parts).for_each(|(sum, part)| *sum += part);
}
