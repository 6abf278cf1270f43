//! Files as memory: the one place of this store where safety rests on more than the compiler.

#![expect(
    unsafe_code,
    reason = "mapping a file is unsafe because others may change it while it is borrowed. No \
              segment is changed or cut in place, by this process or by another that uses this \
              store: it is written under another name, renamed once whole, and only ever removed \
              or renamed, which leaves a mapping as it was. What the bytes say is checked like any \
              input, and all of them are read as plain integers and floats, valid in any state"
)]

use std::fs::File;
use std::io;
use std::ops::Range;

use memmap2::Mmap;

/// The whole file, read only.
pub(super) fn map(file: &File) -> io::Result<Mmap> {
    // SAFETY: segments are never changed in place, as said above.
    unsafe { Mmap::map(file) }
}

/// How a mapped file will be read. Advice: what it does not change is what is read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Way {
    /// Here and there: only what is touched comes from disk, not what surrounds it.
    Scattered,
    FromEndToEnd,
}

#[cfg(unix)]
pub(super) fn advise(map: &Mmap, way: Way) {
    let _ = map.advise(match way {
        Way::Scattered => memmap2::Advice::Random,
        Way::FromEndToEnd => memmap2::Advice::Normal,
    });
}

/// Has bytes fetched from disk while this process goes on.
#[cfg(unix)]
pub(super) fn fetch(map: &Mmap, bytes: Range<usize>) {
    // Linux cuts longer requests short.
    const PIECE: usize = 128 << 10;
    for start in bytes.clone().step_by(PIECE) {
        let length = PIECE.min(bytes.end - start);
        let _ = map.advise_range(memmap2::Advice::WillNeed, start, length);
    }
}

#[cfg(not(unix))]
pub(super) fn advise(_: &Mmap, _: Way) {}

#[cfg(not(unix))]
pub(super) fn fetch(_: &Mmap, _: Range<usize>) {}
