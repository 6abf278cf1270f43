//! The one random stream: `ChaCha8`, keyed by the run's seed and by what the numbers are for.

use rand::SeedableRng;
use rand::seq::SliceRandom;
pub use rand_chacha::ChaCha8Rng as Stream;

/// The stream of `seed` for one purpose, such as `"split"` or `"sae 0 batches"`.
///
/// Streams of different purposes are independent, so that drawing more numbers in one stage
/// changes nothing in another. The purpose is hashed by 64-bit FNV-1a.
#[must_use]
pub fn stream(seed: u64, purpose: &str) -> Stream {
    let hash = purpose.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| {
        (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&hash.to_le_bytes());
    Stream::from_seed(key)
}

/// `0..n` in random order.
#[must_use]
pub fn permutation(n: usize, stream: &mut Stream) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    order.shuffle(stream);
    order
}
