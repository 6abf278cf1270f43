//! Sparse activations: for every text the few neurons that fire on it, and how strongly.

use crate::error::{Error, Result};

/// Sparse matrix, `rows` x `neurons`, row by row; within a row by rising neuron; only values > 0,
/// but for [`Activations::push_difference`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Activations {
    neurons: usize,
    starts: Vec<usize>,
    indices: Vec<u32>,
    values: Vec<f32>,
}

/// Sparse activations neuron by neuron; within one by rising row.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Columns {
    starts: Vec<usize>,
    entries: Vec<(u32, f32)>,
}

impl Columns {
    /// Number of neurons.
    #[must_use]
    pub fn neurons(&self) -> usize {
        self.starts.len() - 1
    }

    /// The rows on which neuron `j` fires, with its values.
    #[must_use]
    pub fn entries(&self, j: usize) -> &[(u32, f32)] {
        &self.entries[self.starts[j]..self.starts[j + 1]]
    }

    /// The same, ready to index and to sum.
    pub fn pairs(&self, j: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        self.entries(j).iter().map(|&(i, v)| (i as usize, f64::from(v)))
    }
}

impl Activations {
    /// No rows yet.
    #[must_use]
    pub fn new(neurons: usize) -> Self {
        Self { neurons, starts: vec![0], indices: Vec::new(), values: Vec::new() }
    }

    /// Appends a row given as (neuron, value); values that are not positive are left out.
    ///
    /// # Panics
    /// If the neurons do not rise or one is out of range: the caller's invariant.
    pub fn push_row(&mut self, row: impl IntoIterator<Item = (u32, f32)>) {
        self.push_if(row, |v| v > 0.0);
    }

    /// Appends the difference of two texts' activations, which may be negative: for pairs of which
    /// one text was preferred.
    ///
    /// # Panics
    /// As [`Self::push_row`].
    pub fn push_difference(&mut self, row: impl IntoIterator<Item = (u32, f32)>) {
        self.push_if(row, |v| v != 0.0);
    }

    fn push_if(&mut self, row: impl IntoIterator<Item = (u32, f32)>, keep: impl Fn(f32) -> bool) {
        let start = self.indices.len();
        for (j, v) in row {
            if keep(v) {
                assert!((j as usize) < self.neurons, "neuron {j} of {}", self.neurons);
                assert!(
                    self.indices.len() == start || self.indices[self.indices.len() - 1] < j,
                    "neurons rise"
                );
                self.indices.push(j);
                self.values.push(v);
            }
        }
        self.starts.push(self.indices.len());
    }

    /// From dense rows.
    ///
    /// # Errors
    /// [`Error::Shape`] if a row is not `neurons` long.
    pub fn from_dense(neurons: usize, rows: &[Vec<f32>]) -> Result<Self> {
        let mut z = Self::new(neurons);
        for row in rows {
            Error::check_len("row", row.len(), neurons)?;
            z.push_row((0u32..).zip(row.iter().copied()));
        }
        Ok(z)
    }

    /// Number of texts.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.starts.len() - 1
    }

    /// Number of neurons.
    #[must_use]
    pub fn neurons(&self) -> usize {
        self.neurons
    }

    /// Number of stored values.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether nothing fires anywhere.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Neurons that fire on row `i`, rising, and their values.
    #[must_use]
    pub fn row(&self, i: usize) -> (&[u32], &[f32]) {
        let span = self.starts[i]..self.starts[i + 1];
        (&self.indices[span.clone()], &self.values[span])
    }

    /// What neuron `j` says of row `i`. O(log of the row's entries).
    #[must_use]
    pub fn value(&self, i: usize, j: usize) -> f32 {
        let (neurons, values) = self.row(i);
        let found = u32::try_from(j).ok().and_then(|j| neurons.binary_search(&j).ok());
        found.map_or(0.0, |at| values[at])
    }

    /// Row `i` as pairs.
    pub fn pairs(&self, i: usize) -> impl Iterator<Item = (usize, f32)> + '_ {
        let (indices, values) = self.row(i);
        indices.iter().zip(values).map(|(&j, &v)| (j as usize, v))
    }

    /// The rows with these indices, in their order.
    #[must_use]
    pub fn gather(&self, rows: &[usize]) -> Self {
        let mut z = Self::new(self.neurons);
        for &i in rows {
            let (indices, values) = self.row(i);
            z.push_difference(indices.iter().copied().zip(values.iter().copied()));
        }
        z
    }

    /// By neuron instead of by text, in flat arrays. O(nnz + m).
    #[must_use]
    pub fn by_neuron(&self) -> Columns {
        let mut starts = vec![0; self.neurons + 1];
        for &j in &self.indices {
            starts[j as usize + 1] += 1;
        }
        for j in 0..self.neurons {
            starts[j + 1] += starts[j];
        }
        let mut next = starts.clone();
        let mut entries = vec![(0, 0.0); self.values.len()];
        for i in 0..self.rows() {
            let row = u32::try_from(i).expect("fewer than 2^32 texts");
            let (indices, values) = self.row(i);
            for (&j, &v) in indices.iter().zip(values) {
                let at = &mut next[j as usize];
                entries[*at] = (row, v);
                *at += 1;
            }
        }
        Columns { starts, entries }
    }

    /// By neuron instead of by text: for every neuron its rows, rising, and the values.
    #[must_use]
    pub fn columns(&self) -> Vec<(Vec<u32>, Vec<f32>)> {
        let mut columns = vec![(Vec::new(), Vec::new()); self.neurons];
        for i in 0..self.rows() {
            for (j, v) in self.pairs(i) {
                columns[j].0.push(u32::try_from(i).expect("fewer than 2^32 texts"));
                columns[j].1.push(v);
            }
        }
        columns
    }

    /// Several autoencoders side by side: the neurons of `parts` in order, one row per text.
    ///
    /// # Errors
    /// [`Error::Shape`] if the parts differ in their number of rows.
    pub fn beside(parts: &[Self]) -> Result<Self> {
        let rows = parts.first().map_or(0, Self::rows);
        let mut z = Self::new(parts.iter().map(Self::neurons).sum());
        for part in parts {
            Error::check_len("activations", part.rows(), rows)?;
        }
        for i in 0..rows {
            let mut offset = 0;
            let mut row = Vec::new();
            for part in parts {
                let (indices, values) = part.row(i);
                row.extend(indices.iter().zip(values).map(|(&j, &v)| (j + offset, v)));
                offset += u32::try_from(part.neurons).expect("fewer than 2^32 neurons");
            }
            z.push_difference(row);
        }
        Ok(z)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn differences() -> Activations {
        let mut z = Activations::new(3);
        z.push_difference([(0, -1.0), (2, 2.0)]);
        z.push_difference([(1, 0.0), (2, -0.5)]);
        z
    }

    #[test]
    fn by_neuron_turns_rows_into_columns() {
        let columns = differences().by_neuron();
        assert_eq!(columns.neurons(), 3);
        assert_eq!(columns.entries(0), [(0, -1.0)]);
        assert_eq!(columns.entries(1), []);
        assert_eq!(columns.entries(2), [(0, 2.0), (1, -0.5)]);
    }

    #[test]
    fn gathering_and_joining_keep_negative_differences() {
        let z = differences();
        assert_eq!(z.gather(&[1, 0]).row(1), (&[0, 2][..], &[-1.0, 2.0][..]));
        assert_eq!([0, 1, 2].map(|j| z.value(0, j)), [-1.0, 0.0, 2.0]);
        let both = Activations::beside(&[z.clone(), z]).unwrap();
        assert_eq!(both.row(1), (&[2, 5][..], &[-0.5, -0.5][..]));
    }
}
