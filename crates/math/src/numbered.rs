//! Labels as numbers from 0.

use std::collections::HashMap;

/// The number of every label, in order of appearance, and how many there are.
pub(crate) fn numbered(labels: impl IntoIterator<Item = usize>) -> (Vec<usize>, usize) {
    let mut seen = HashMap::new();
    let mut number = |label: usize| {
        let next = seen.len();
        *seen.entry(label).or_insert(next)
    };
    let numbers: Vec<usize> = labels.into_iter().map(&mut number).collect();
    (numbers, seen.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_numbered_as_they_appear() {
        assert_eq!(numbered([7, 3, 7, 9, 3]), (vec![0, 1, 0, 2, 1], 3));
        assert_eq!(numbered([]), (vec![], 0));
    }
}
