//! In which order the rows come: the same whether they lie in memory or in a file.
//!
//! The rows are cut into blocks of neighbours, the blocks shuffled and dealt into windows, and the
//! rows of a window shuffled. A file is thus read a window at a time and in pieces worth reading;
//! rows that fit into one window are shuffled without any limit.

use super::TrainOptions;
use crate::random::{self, Stream};
use crate::rows::BLOCK;
use rand::seq::SliceRandom;

/// Bytes of the rows of a window, about.
const WINDOW: usize = 64 << 20;

/// The stream of the numbers that order the rows of an epoch. Each epoch has its own, so that
/// training can go on from any of them.
pub(super) fn stream(seed: u64, epoch: usize) -> Stream {
    random::stream(seed, &format!("sae batches {epoch}"))
}

/// Rows of `d` values that a window holds, at most.
pub(super) fn window_rows(d: usize) -> usize {
    (WINDOW / (size_of::<f32>() * d)).next_multiple_of(BLOCK).max(16 * BLOCK)
}

/// The windows of an epoch: which of `n` rows of `d` values are in each, rising.
pub(super) fn windows(n: usize, d: usize, stream: &mut Stream) -> Vec<Vec<usize>> {
    let mut blocks: Vec<usize> = (0..n).step_by(BLOCK).collect();
    blocks.shuffle(stream);
    let order: Vec<usize> =
        blocks.into_iter().flat_map(|first| first..n.min(first + BLOCK)).collect();
    let mut windows: Vec<Vec<usize>> = order.chunks(largest(n, d)).map(<[_]>::to_vec).collect();
    for window in &mut windows {
        window.sort_unstable();
    }
    windows
}

/// Steps of an epoch.
pub(super) fn steps(n: usize, d: usize, options: &TrainOptions) -> usize {
    let largest = largest(n, d);
    let in_window = |rows: usize| rows.div_ceil(options.batch_size_for(rows).max(1));
    n / largest * in_window(largest) + in_window(n % largest)
}

/// Rows of every window but the last, which may have fewer.
fn largest(n: usize, d: usize) -> usize {
    n.div_ceil(n.div_ceil(window_rows(d)).max(1)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_comes_once_an_epoch() {
        let d = 100_000; // 1,024 rows a window
        for n in [1, 63, 1_024, 1_025, 5_000] {
            let windows = windows(n, d, &mut stream(0, 1));
            assert_eq!(windows.len(), n.div_ceil(window_rows(d)), "{n} rows");
            assert!(windows.iter().all(|w| w.is_sorted() && w.len() <= window_rows(d)));
            let mut all = windows.concat();
            all.sort_unstable();
            assert!(all.into_iter().eq(0..n), "{n} rows");
            let options = TrainOptions { batch_size: Some(100), ..TrainOptions::default() };
            let batches = |w: &Vec<usize>| w.len().div_ceil(options.batch_size_for(w.len()));
            assert_eq!(steps(n, d, &options), windows.iter().map(batches).sum::<usize>());
        }
    }

    #[test]
    fn epochs_differ() {
        assert_ne!(
            windows(5_000, 100_000, &mut stream(0, 1)),
            windows(5_000, 100_000, &mut stream(0, 2))
        );
    }
}
