//! Many texts on all cores: those of like length together, each core a few at a time.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use rayon::prelude::*;

use crate::attention::Space;
use crate::{Encoder, Error, Result};

/// Texts whose tokens are in memory at once.
const WINDOW: usize = 16_384;
/// Tokens of a batch: few enough that what is between two products stays in a core's own cache.
const TOKENS: usize = 1024;

pub(crate) fn run<E: From<Error>>(
    encoder: &Encoder,
    texts: &[&str],
    mut each: impl FnMut(usize, &[f32]) -> Result<(), E>,
) -> Result<(), E> {
    for (at, window) in texts.chunks(WINDOW).enumerate() {
        let ids: Result<Vec<Vec<u32>>> = window.par_iter().map(|text| encoder.ids(text)).collect();
        encode(encoder, &ids?, |i, vector| each(at * WINDOW + i, vector))?;
    }
    Ok(())
}

fn encode<E: From<Error>>(
    encoder: &Encoder,
    ids: &[Vec<u32>],
    mut each: impl FnMut(usize, &[f32]) -> Result<(), E>,
) -> Result<(), E> {
    let batches = by_length(ids);
    let (next, stopped) = (AtomicUsize::new(0), AtomicBool::new(false));
    let (send, arrived) = mpsc::sync_channel(2 * rayon::current_num_threads());
    thread::scope(|scope| {
        for _ in 0..rayon::current_num_threads().min(batches.len()) {
            let (send, batches, next, stopped) = (send.clone(), &batches, &next, &stopped);
            scope.spawn(move || {
                // Products then use this thread alone.
                let alone = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread();
                let _alone = alone.build();
                let mut space = Space::default();
                while !stopped.load(Ordering::Relaxed)
                    && let Some(batch) = batches.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    let of: Vec<&[u32]> = batch.iter().map(|&i| ids[i].as_slice()).collect();
                    if send.send((batch, encoder.vectors(&of, &mut space))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(send);
        let mut done = Ok(());
        for (batch, vectors) in arrived {
            if done.is_ok() {
                done = batch.iter().zip(&vectors).try_for_each(|(i, vector)| each(*i, vector));
            }
            stopped.store(done.is_err(), Ordering::Relaxed);
        }
        done
    })
}

/// Batches of about [`TOKENS`] tokens, or of one longer text; the longest come first.
fn by_length(ids: &[Vec<u32>]) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..ids.len()).collect();
    order.sort_by_key(|&i| std::cmp::Reverse(ids[i].len()));
    let mut batches: Vec<Vec<usize>> = Vec::new();
    let mut tokens = 0;
    for i in order {
        tokens += ids[i].len();
        match batches.last_mut() {
            Some(batch) if tokens <= TOKENS => batch.push(i),
            _ => {
                tokens = ids[i].len();
                batches.push(vec![i]);
            }
        }
    }
    batches
}
