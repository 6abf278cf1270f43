//! The sparse columns of a Newton step, row by row: levels of further factors, then the neurons
//! that have entered.

use super::layout::Layout;

pub(super) struct Entries {
    starts: Vec<usize>,
    /// Position of a column in the system, and its value over its scale.
    entries: Vec<(u32, f64)>,
}

impl Entries {
    /// O(rows + nnz of the columns). Within a row by rising position.
    pub fn new(data: &Layout, active: &[usize]) -> Self {
        let rows = data.rows();
        let mut starts = vec![0; rows + 1];
        starts[1..].fill(data.levels.len());
        for &j in active {
            data.x.entries(j).for_each(|(i, _)| starts[i + 1] += 1);
        }
        for i in 0..rows {
            starts[i + 1] += starts[i];
        }
        let mut entries = vec![(0, 0.0); starts[rows]];
        let mut next = starts.clone();
        let mut put = |i: usize, position: usize, value: f64| {
            entries[next[i]] = (u32::try_from(position).expect("few columns"), value);
            next[i] += 1;
        };
        for levels in &data.levels {
            levels.iter().enumerate().for_each(|(i, l)| put(i, data.n_dense + *l as usize, 1.0));
        }
        for (position, &j) in (data.n_free()..).zip(active) {
            let scale = data.x.scale(j);
            data.x.entries(j).for_each(|(i, v)| put(i, position, v / scale));
        }
        Self { starts, entries }
    }

    pub fn row(&self, i: usize) -> &[(u32, f64)] {
        &self.entries[self.starts[i]..self.starts[i + 1]]
    }
}
