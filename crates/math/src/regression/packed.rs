//! Columns of numbers in a bit or two per entry, as almost all of them are flags.

use rayon::prelude::*;

use super::design::CHUNK;
use crate::error::{Error, Result};

const BITS: usize = u32::BITS as usize;

/// n x p numbers. 0 and 1 take a bit, beside -1 two, any other number 8 bytes more: what is true of
/// millions of texts takes megabytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Columns {
    rows: usize,
    cols: usize,
    /// A bit per entry, row by row in whole words: set for 1, and for numbers.
    plus: Vec<u32>,
    /// The same, set for -1, and for numbers; empty if no bit is set.
    minus: Vec<u32>,
    /// Entries other than -1, 0 and 1, row by row.
    numbers: Vec<f64>,
    /// Where the numbers of each row begin, then where they end; empty without numbers.
    starts: Vec<usize>,
}

impl Columns {
    /// These columns of `rows` entries each.
    ///
    /// # Errors
    /// [`Error::Shape`] for a column of another length; [`Error::NotFinite`].
    pub fn new(rows: usize, columns: &[Vec<f64>]) -> Result<Self> {
        for column in columns {
            Error::check_len("column", column.len(), rows)?;
        }
        Self::from_fn(rows, columns.len(), |i, j| columns[j][i])
    }

    /// n x 0.
    #[must_use]
    pub fn none(rows: usize) -> Self {
        let (plus, minus, numbers, starts) = (vec![], vec![], vec![], vec![]);
        Self { rows, cols: 0, plus, minus, numbers, starts }
    }

    /// `value(i, j)` in row `i` of column `j`. O(n p), pieces of the rows in parallel.
    ///
    /// # Errors
    /// [`Error::NotFinite`] for the first column that is not, at its first such row.
    pub fn from_fn(
        rows: usize,
        cols: usize,
        value: impl Fn(usize, usize) -> f64 + Sync,
    ) -> Result<Self> {
        let mut columns = Self { cols, ..Self::none(rows) };
        columns.plus = vec![0; rows * columns.words()];
        // Rows of no column are in no word.
        let piece = CHUNK * columns.words().max(1);
        let pieces: Vec<Piece> = columns
            .plus
            .par_chunks_mut(piece)
            .enumerate()
            .map(|(at, plus)| Piece::of(plus, cols, |k, j| value(at * CHUNK + k, j)))
            .collect();
        let bad = |(at, piece): (usize, &Piece)| piece.bad.map(|(j, k)| (j, at * CHUNK + k));
        if let Some((column, row)) = pieces.iter().enumerate().filter_map(bad).min() {
            return Err(Error::NotFinite { what: "columns", row, column });
        }
        columns.join(pieces);
        Ok(columns)
    }

    /// Adds what the pieces have beside `plus`.
    fn join(&mut self, pieces: Vec<Piece>) {
        if pieces.iter().all(|piece| piece.minus.is_empty()) {
            return;
        }
        let n_numbers = pieces.iter().map(|piece| piece.numbers.len()).sum();
        self.minus.reserve_exact(self.plus.len());
        self.numbers.reserve_exact(n_numbers);
        if n_numbers > 0 {
            self.starts.reserve_exact(self.rows + 1);
            self.starts.push(0);
        }
        for (at, piece) in pieces.into_iter().enumerate() {
            let end = self.rows.min((at + 1) * CHUNK);
            let before = self.numbers.len();
            self.numbers.extend(piece.numbers);
            self.minus.extend(piece.minus);
            self.minus.resize(end * self.words(), 0);
            if n_numbers > 0 {
                self.starts.extend(piece.ends.into_iter().map(|of_row| before + of_row));
                self.starts.resize(end + 1, before);
            }
        }
    }

    /// n.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// p.
    #[must_use]
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// The entry in row `i` of column `j`.
    #[must_use]
    pub fn value(&self, i: usize, j: usize) -> f64 {
        let (word, bit) = (i * self.words() + j / BITS, 1 << (j % BITS));
        let plus = self.plus[word] & bit != 0;
        let minus = self.minus.get(word).is_some_and(|minus| minus & bit != 0);
        match (plus, minus) {
            (false, false) => 0.0,
            (true, false) => 1.0,
            (false, true) => -1.0,
            (true, true) => {
                let words = i * self.words()..word;
                let both = |w: usize| (self.plus[w] & self.minus[w]).count_ones() as usize;
                let here = (self.plus[word] & self.minus[word] & (bit - 1)).count_ones() as usize;
                self.numbers[self.starts[i] + words.map(both).sum::<usize>() + here]
            }
        }
    }

    /// Whether column `j` has no other entries than these.
    #[must_use]
    pub fn has_only(&self, j: usize, allowed: &[f64]) -> bool {
        let are_flags = self.minus.is_empty() && [0.0, 1.0].iter().all(|v| allowed.contains(v));
        are_flags || (0..self.rows).all(|i| allowed.contains(&self.value(i, j)))
    }

    /// Column `j`, n numbers.
    #[must_use]
    pub fn column(&self, j: usize) -> Vec<f64> {
        (0..self.rows).into_par_iter().with_min_len(CHUNK).map(|i| self.value(i, j)).collect()
    }

    /// These columns, in this order.
    #[must_use]
    pub fn select(&self, columns: &[usize]) -> Self {
        made(self.rows, columns.len(), |i, j| self.value(i, columns[j]))
    }

    /// These rows, in this order.
    #[must_use]
    pub fn gather(&self, rows: &[usize]) -> Self {
        made(rows.len(), self.cols, |i, j| self.value(rows[i], j))
    }

    /// These columns, then the `other` ones.
    ///
    /// # Errors
    /// [`Error::Shape`] for another number of rows.
    pub fn beside(&self, other: &Self) -> Result<Self> {
        Error::check_len("column", other.rows, self.rows)?;
        Ok(made(self.rows, self.cols + other.cols, |i, j| match j.checked_sub(self.cols) {
            None => self.value(i, j),
            Some(j) => other.value(i, j),
        }))
    }

    fn words(&self) -> usize {
        self.cols.div_ceil(BITS)
    }
}

/// Columns of entries that are in columns already.
fn made(rows: usize, cols: usize, value: impl Fn(usize, usize) -> f64 + Sync) -> Columns {
    Columns::from_fn(rows, cols, value).expect("entries of columns are finite")
}

/// Some rows: what goes beside their bits in `plus`.
#[derive(Default)]
struct Piece {
    minus: Vec<u32>,
    numbers: Vec<f64>,
    /// Where the numbers of each row end; empty without numbers.
    ends: Vec<usize>,
    /// Column and row of the first number that is not finite.
    bad: Option<(usize, usize)>,
}

impl Piece {
    fn of(plus: &mut [u32], cols: usize, value: impl Fn(usize, usize) -> f64) -> Self {
        let words = cols.div_ceil(BITS);
        let mut piece = Self { minus: vec![0; plus.len()], ..Self::default() };
        let rows = plus.chunks_exact_mut(words).zip(piece.minus.chunks_exact_mut(words));
        for (k, (plus, minus)) in rows.enumerate() {
            for j in 0..cols {
                let (v, word, bit) = (value(k, j), j / BITS, j % BITS);
                // Without branches: flags follow no pattern that a processor could guess.
                plus[word] |= u32::from(v != 0.0 && v != -1.0) << bit;
                minus[word] |= u32::from(v != 0.0 && v != 1.0) << bit;
                if v.abs() != 1.0 && v != 0.0 {
                    piece.numbers.push(v);
                    if !v.is_finite() {
                        piece.bad = Some(piece.bad.unwrap_or((j, k)).min((j, k)));
                    }
                }
            }
            piece.ends.push(piece.numbers.len());
        }
        if piece.numbers.is_empty() {
            piece.ends = Vec::new();
        }
        if piece.minus.iter().all(|word| *word == 0) {
            piece.minus = Vec::new();
        }
        piece
    }
}

/// Entries that are written at a time, at most.
const STEP: usize = 8;

/// Rows of columns, one at a time, after an intercept if there is one.
#[derive(Debug)]
pub struct Entries<'a> {
    columns: &'a Columns,
    words: usize,
    intercept: usize,
    step: usize,
    /// Overwritten by the next row.
    row: Vec<(usize, f64)>,
}

impl<'a> Entries<'a> {
    pub(super) fn of(columns: &'a Columns, intercept: bool) -> Self {
        let (words, intercept) = (columns.words(), usize::from(intercept));
        let row = vec![(0, 1.0); columns.cols + intercept + STEP];
        Self { columns, words, intercept, step: columns.cols.min(STEP), row }
    }

    /// The entries of row `i` that are not 0, by rising column.
    #[inline]
    pub fn row(&mut self, i: usize) -> &[(usize, f64)] {
        let words = i * self.words..(i + 1) * self.words;
        let plus = &self.columns.plus[words.clone()];
        let length = if self.columns.minus.is_empty() {
            self.flags(plus)
        } else {
            self.signed(i, plus, &self.columns.minus[words])
        };
        &self.row[..length]
    }

    /// A row of 0 and 1; how many entries it has.
    ///
    /// Several at a time, the last ones in vain: how many there are no processor could guess.
    #[inline]
    fn flags(&mut self, plus: &[u32]) -> usize {
        let (mut first, mut at) = (self.intercept, self.intercept);
        for plus in plus {
            let end = at + plus.count_ones() as usize;
            let mut bits = u64::from(*plus);
            loop {
                for entry in &mut self.row[at..at + self.step] {
                    // The bit behind the last is there when all others are gone.
                    entry.0 = first + (bits | 1 << BITS).trailing_zeros() as usize;
                    bits &= bits.wrapping_sub(1);
                }
                at += self.step;
                if at >= end {
                    break;
                }
            }
            (first, at) = (first + BITS, end);
        }
        at
    }

    /// The same of a row with other numbers.
    fn signed(&mut self, i: usize, plus: &[u32], minus: &[u32]) -> usize {
        let mut at = self.intercept;
        let mut number = self.columns.starts.get(i).copied().unwrap_or(0);
        for (word, (plus, minus)) in plus.iter().zip(minus).enumerate() {
            let mut bits = plus | minus;
            while bits != 0 {
                let bit = bits.trailing_zeros();
                let value = match (plus >> bit & 1, minus >> bit & 1) {
                    (_, 0) => 1.0,
                    (0, _) => -1.0,
                    _ => {
                        number += 1;
                        self.columns.numbers[number - 1]
                    }
                };
                self.row[at] = (self.intercept + word * BITS + bit as usize, value);
                at += 1;
                bits &= bits - 1;
            }
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::regression::Design;

    /// Flags, pairs, and numbers among them and alone.
    const KINDS: [&[f64]; 4] =
        [&[0.0, 1.0], &[-1.0, 0.0, 1.0], &[0.0, 0.5, -2.0, 1.0], &[0.1, 3.0, -1.0, 7.25]];

    fn dense() -> impl Strategy<Value = Vec<Vec<f64>>> {
        let entries = |of, rows| prop::collection::vec(prop::sample::select(of), rows);
        let column =
            move |rows| prop::sample::select(&KINDS[..]).prop_flat_map(move |of| entries(of, rows));
        let sizes = (0..20_usize, 0..70_usize);
        sizes.prop_flat_map(move |(rows, cols)| prop::collection::vec(column(rows), cols))
    }

    fn packed(columns: &[Vec<f64>]) -> Columns {
        Columns::new(columns.first().map_or(0, Vec::len), columns).unwrap()
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out(dense in dense()) {
            let packed = packed(&dense);
            for (j, column) in dense.iter().enumerate() {
                prop_assert_eq!(&packed.column(j), column);
                for allowed in [&[0.0, 1.0][..], &[-1.0, 0.0, 1.0], &[0.5, 1.0]] {
                    let only = column.iter().all(|v| allowed.contains(v));
                    prop_assert_eq!(packed.has_only(j, allowed), only);
                }
            }
            let (x, plain) = (Design::new(&packed), Design::with(&packed, false));
            let (mut after, mut alone) = (x.entries(), plain.entries());
            for i in 0..packed.rows() {
                let entries = dense.iter().enumerate().map(|(j, column)| (j, column[i]));
                let entries: Vec<(usize, f64)> = entries.filter(|(_, v)| *v != 0.0).collect();
                prop_assert_eq!(alone.row(i), &entries);
                let moved = entries.into_iter().map(|(j, v)| (j + 1, v));
                let moved: Vec<(usize, f64)> = std::iter::once((0, 1.0)).chain(moved).collect();
                prop_assert_eq!(after.row(i), &moved);
            }
        }

        #[test]
        fn parts_are_those_of_dense_columns(dense in dense(), places in any::<[u16; 5]>()) {
            let all = packed(&dense);
            let of = |n: usize| -> Vec<usize> {
                places.iter().filter(|_| n > 0).map(|at| *at as usize % n.max(1)).collect()
            };
            let columns = of(dense.len());
            let chosen: Vec<Vec<f64>> = columns.iter().map(|&j| dense[j].clone()).collect();
            prop_assert_eq!(
                all.select(&columns),
                Columns::new(all.rows(), &chosen).unwrap()
            );
            let rows = of(all.rows());
            let pick = |column: &Vec<f64>| rows.iter().map(|&i| column[i]).collect();
            let picked: Vec<Vec<f64>> = dense.iter().map(pick).collect();
            prop_assert_eq!(all.gather(&rows), Columns::new(rows.len(), &picked).unwrap());
            let both = all.select(&columns).beside(&all).unwrap();
            prop_assert_eq!(both, packed(&[chosen, dense].concat()));
        }

        #[test]
        fn products_are_those_of_dense_columns(dense in dense()) {
            let packed = packed(&dense);
            let x = Design::with(&packed, false);
            let weights: Vec<f64> = (0..x.rows()).map(|i| 0.5 + i as f64).collect();
            let dot = |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
            let (gram, pulls) = (x.gram(&weights), x.transposed_times(&weights));
            for (j, column) in dense.iter().enumerate() {
                let weighted: Vec<f64> = column.iter().zip(&weights).map(|(x, w)| w * x).collect();
                prop_assert!((pulls[j] - dot(column, &weights)).abs() < 1e-9);
                for (k, other) in dense.iter().enumerate() {
                    prop_assert!((gram[(k, j)] - dot(&weighted, other)).abs() < 1e-9);
                }
            }
        }
    }

    #[test]
    fn pieces_are_joined_in_order() {
        // Numbers and signs begin in a later piece, and some pieces have none.
        let value = |i: usize, j: usize| match (i / CHUNK, j) {
            (1, 0) => -1.0,
            (3, 1) => i as f64,
            _ => f64::from(u8::from((i + j).is_multiple_of(3))),
        };
        let columns = Columns::from_fn(5 * CHUNK - 7, 2, value).unwrap();
        for i in (0..columns.rows()).step_by(101) {
            assert_eq!([columns.value(i, 0), columns.value(i, 1)], [value(i, 0), value(i, 1)]);
        }
    }

    #[test]
    fn flags_take_a_bit_each() {
        let flags = Columns::from_fn(1000, 32, |i, j| f64::from(u8::from(i > j))).unwrap();
        let (bytes, rest) = (4 * flags.plus.len(), (flags.minus.len(), flags.numbers.len()));
        assert_eq!((bytes, rest, flags.starts.len()), (4000, (0, 0), 0));
        let pairs = Columns::from_fn(1000, 32, |i, j| if i > j { 1.0 } else { -1.0 }).unwrap();
        assert_eq!((pairs.minus.len(), pairs.numbers.len(), pairs.starts.len()), (1000, 0, 0));
    }

    #[test]
    fn bad_columns_are_refused() {
        assert!(matches!(Columns::new(2, &[vec![1.0]]), Err(Error::Shape { .. })));
        let both = Columns::none(2).beside(&Columns::none(3));
        assert!(matches!(both, Err(Error::Shape { .. })));
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let found = Columns::new(2, &[vec![1.0, 0.0], vec![0.0, bad]]).unwrap_err();
            assert_eq!(found, Error::NotFinite { what: "columns", row: 1, column: 1 });
        }
        let value = |i: usize, j: usize| if j == 2 && i > CHUNK { f64::NAN } else { 1.0 };
        let found = Columns::from_fn(2 * CHUNK, 4, value).unwrap_err();
        assert_eq!(found, Error::NotFinite { what: "columns", row: CHUNK + 1, column: 2 });
    }
}
