//! Which of the things found is which of those that were planted: an optimal assignment.

use crate::error::{Error, Result};

/// How much of what was planted has been found.
#[derive(Debug, Clone, PartialEq)]
pub struct Recovery {
    /// For each planted thing the found one that is it, if any.
    pub found: Vec<Option<usize>>,
    /// Share of the found that are planted; `None` if nothing was found.
    pub precision: Option<f64>,
    /// Share of the planted that are found; `None` if nothing was planted.
    pub recall: Option<f64>,
    /// Matched pairs over the mean of both numbers; `None` if there is neither.
    pub f1: Option<f64>,
}

/// The pairs of a row and a column, none used twice, of the largest summed similarity.
///
/// `similarity`: n rows of m finite numbers each. Every row or every column has a partner,
/// whichever are fewer. Shortest augmenting paths with potentials, O(min^2 max); ties go to the
/// lower index along the way.
///
/// Source: Jonker and Volgenant (1987), A shortest augmenting path algorithm for dense and sparse
/// linear assignment problems, Computing 38; Kuhn (1955).
///
/// # Errors
/// [`Error::Shape`] for rows of unequal length; [`Error::NotFinite`].
pub fn assign(similarity: &[Vec<f64>]) -> Result<Vec<Option<usize>>> {
    let columns = similarity.first().map_or(0, Vec::len);
    for (i, row) in similarity.iter().enumerate() {
        Error::check_len("similarity", row.len(), columns)?;
        if let Some(j) = row.iter().position(|v| !v.is_finite()) {
            return Err(Error::NotFinite { what: "similarity", row: i, column: j });
        }
    }
    if similarity.len() <= columns {
        let rows = Potentials::assign(similarity.len(), columns, |i, j| -similarity[i][j]);
        return Ok(rows.into_iter().map(Some).collect());
    }
    let rows = Potentials::assign(columns, similarity.len(), |j, i| -similarity[i][j]);
    let mut partners = vec![None; similarity.len()];
    rows.into_iter().enumerate().for_each(|(j, i)| partners[i] = Some(j));
    Ok(partners)
}

/// Matches planted things (rows) with found ones (columns); only pairs at least this similar
/// count.
///
/// # Errors
/// Those of [`assign`].
pub fn recovery(similarity: &[Vec<f64>], at_least: f64) -> Result<Recovery> {
    let similar = |v: &f64| if *v >= at_least || v.is_nan() { *v - at_least + 1.0 } else { 0.0 };
    let counted: Vec<Vec<f64>> =
        similarity.iter().map(|row| row.iter().map(similar).collect()).collect();
    let partner = |(i, j): (usize, Option<usize>)| j.filter(|j| similarity[i][*j] >= at_least);
    let found: Vec<Option<usize>> =
        assign(&counted)?.into_iter().enumerate().map(partner).collect();
    let (planted, columns) = (similarity.len(), similarity.first().map_or(0, Vec::len));
    let hits = found.iter().flatten().count() as f64;
    let share = |of: usize| (of > 0).then(|| hits / of as f64);
    let f1 = share(planted + columns).map(|half| 2.0 * half);
    Ok(Recovery { precision: share(columns), recall: share(planted), f1, found })
}

/// Dual prices of a partial assignment of n rows to m >= n columns.
struct Potentials {
    rows: Vec<f64>,
    columns: Vec<f64>,
    /// The row of every column.
    partner: Vec<Option<usize>>,
}

impl Potentials {
    /// The column of every row, of the least summed cost.
    fn assign(n: usize, m: usize, cost: impl Fn(usize, usize) -> f64) -> Vec<usize> {
        let mut duals = Self { rows: vec![0.0; n], columns: vec![0.0; m], partner: vec![None; m] };
        (0..n).for_each(|row| duals.add(row, &cost));
        let mut columns = vec![0; n];
        for (j, row) in duals.partner.iter().enumerate() {
            if let Some(i) = row {
                columns[*i] = j;
            }
        }
        columns
    }

    /// Gives one more row a column, along the cheapest chain of changes.
    fn add(&mut self, row: usize, cost: &impl Fn(usize, usize) -> f64) {
        let m = self.columns.len();
        let mut reach = Reach::new(m);
        let (mut at, mut last, mut paid) = (row, None, 0.0);
        loop {
            for j in 0..m {
                if reach.settled[j] {
                    continue;
                }
                let reduced = paid + cost(at, j) - self.rows[at] - self.columns[j];
                if reduced < reach.cost[j] {
                    reach.cost[j] = reduced;
                    reach.from[j] = last;
                }
            }
            let next = reach.cheapest();
            paid = reach.cost[next];
            last = Some(next);
            match self.partner[next] {
                Some(owner) => {
                    reach.settle(next);
                    at = owner;
                }
                None => break,
            }
        }
        self.reprice(row, paid, &reach);
        self.shift(row, last, &reach);
    }

    /// Prices under which every step of the chain costs nothing.
    fn reprice(&mut self, row: usize, paid: f64, reach: &Reach) {
        self.rows[row] += paid;
        for &j in &reach.done {
            let owner = self.partner[j].expect("a column that is done has a row");
            self.rows[owner] += paid - reach.cost[j];
            self.columns[j] -= paid - reach.cost[j];
        }
    }

    /// Hands every column of the chain to the row before.
    fn shift(&mut self, row: usize, mut at: Option<usize>, reach: &Reach) {
        while let Some(j) = at {
            at = reach.from[j];
            self.partner[j] = at.map_or(Some(row), |before| self.partner[before]);
        }
    }
}

/// The cheapest chains from a row to every column.
struct Reach {
    cost: Vec<f64>,
    /// The column before in the chain.
    from: Vec<Option<usize>>,
    /// Columns whose chain is settled.
    done: Vec<usize>,
    settled: Vec<bool>,
}

impl Reach {
    fn new(columns: usize) -> Self {
        Self {
            cost: vec![f64::INFINITY; columns],
            from: vec![None; columns],
            done: vec![],
            settled: vec![false; columns],
        }
    }

    fn settle(&mut self, column: usize) {
        self.done.push(column);
        self.settled[column] = true;
    }

    fn cheapest(&self) -> usize {
        let open = (0..self.cost.len()).filter(|j| !self.settled[*j]);
        open.min_by(|a, b| self.cost[*a].total_cmp(&self.cost[*b]))
            .expect("there are at least as many columns as rows")
    }
}
