//! Training on the vectors of a file, which may be larger than memory.

use std::path::{Path, PathBuf};

use hypothesaes_math::sae::{screened_by, variance};
use hypothesaes_math::{Rows, Subset, random};

use super::{Checkpoint, SaeOptions, TRAINER_VERSION, TrainedSae, Unfinished, import, train};
use crate::store::{Identity, digest, write_atomically};
use crate::tensors::{VectorFile, Vectors};
use crate::watch::Watch;
use crate::{Error, Result};

/// One row in so many validates if no file does.
const VALIDATION: usize = 10;

/// Rows that a training shuffles at a time, in bytes; see `hypothesaes_math::sae`.
const WINDOW: u64 = 64 << 20;

/// What a training on files needs.
#[derive(Debug, Clone)]
pub struct FileTraining {
    /// Vectors to learn from: `.npy`, or safetensors with one matrix.
    pub vectors: PathBuf,
    /// Vectors on which training stops early; none: a tenth of the others, drawn by the seed.
    pub validation: Option<PathBuf>,
    /// Where the checkpoint goes. Beside it, with `.unfinished` at the end, is what a killed
    /// training goes on from.
    pub out: PathBuf,
    pub options: SaeOptions,
    pub seed: u64,
    /// Bytes of memory to use, about. Vectors that do not fit are read again in every pass; the
    /// result is the same, to the byte.
    pub memory: u64,
}

impl FileTraining {
    /// Trains, and writes the checkpoint.
    ///
    /// # Errors
    /// [`Error::Input`] with the row of a number that is not finite, and for rows that are all
    /// equal; [`Error::Option`] as [`train`], and for less memory than is needed; [`Error::File`].
    pub fn run(&self, watch: &dyn Watch) -> Result<Checkpoint> {
        self.options.check()?;
        let vectors = VectorFile::open(&self.vectors)?;
        let validation = self.validation.as_deref().map(VectorFile::open).transpose()?;
        if let Some(validation) = &validation {
            validation.check_dim(vectors.dim(), &self.vectors)?;
        }
        let room = self.room(&vectors)?;
        vectors.check_finite()?;
        if !differ(&vectors)? {
            let message = "all its rows are equal: there is nothing to learn from them";
            return Err(Error::input(&self.vectors, message));
        }
        validation.iter().try_for_each(VectorFile::check_finite)?;
        watch.say(&format!("neurons are ruled out by {}", screened_by(vectors.dim())));
        let hash = self.data_hash()?;
        let unfinished = Unfinished::new(&self.unfinished(), &hash);
        let (vectors, room) = fit(vectors, room, watch)?;
        let validation = validation.map(|v| fit(v, room, watch)).transpose()?;
        let (discover, drawn) = match &validation {
            Some(_) => ((0..vectors.n_rows()).collect(), Vec::new()),
            None => split(vectors.n_rows(), self.seed),
        };
        let drawn = Subset::new(&vectors, drawn)?;
        let validation: &dyn Rows = validation.as_ref().map_or(&drawn, |(v, _)| v);
        let discover = Subset::new(&vectors, discover)?;
        let (options, seed) = (&self.options, self.seed);
        let models = train(&discover, validation, options, seed, Some(&unfinished), watch)?;
        let checkpoint = Checkpoint {
            models,
            options: options.clone(),
            seed,
            data_hash: hash,
            trainer_version: TRAINER_VERSION,
        };
        write_checkpoint(&checkpoint, &self.out)?;
        unfinished.remove(2 * checkpoint.models.len())?;
        Ok(checkpoint)
    }

    /// Bytes left for vectors beside what training itself needs.
    fn room(&self, vectors: &VectorFile) -> Result<u64> {
        let needed = memory_of(&self.options, vectors.n_rows(), vectors.dim());
        self.memory.checked_sub(needed).ok_or_else(|| {
            let megabytes = needed.div_ceil(1_000_000);
            let why = format!("these autoencoders need about {megabytes} MB beside the vectors");
            Error::option("memory", format!("{} MB", self.memory / 1_000_000), why)
        })
    }

    /// Rows that other options train on too give the same.
    fn data_hash(&self) -> Result<String> {
        let mut identity = Identity::default();
        for (name, path) in
            [("vectors", Some(&self.vectors)), ("validation", self.validation.as_ref())]
        {
            let digest = path.map(|path| digest(path)).transpose()?.flatten();
            identity = identity.with(name, digest.map_or_else(String::new, |d| d.blake3));
        }
        Ok(identity.hash())
    }

    fn unfinished(&self) -> PathBuf {
        let mut name = self.out.clone().into_os_string();
        name.push(".unfinished");
        name.into()
    }
}

/// Writes a checkpoint whole or not at all.
///
/// # Errors
/// [`Error::File`]; what was there before is still there.
pub fn write_checkpoint(checkpoint: &Checkpoint, out: &Path) -> Result<()> {
    write_atomically(out, |to| checkpoint.write(&mut *to)).map(drop)
}

/// An autoencoder of the Python package, judged by the vectors of a file.
///
/// # Errors
/// As [`import()`]; [`Error::Input`] for vectors that are of another length or not finite.
pub fn import_from(path: &Path, vectors: &Path) -> Result<Checkpoint> {
    let rows = VectorFile::open(vectors)?;
    rows.check_finite()?;
    let (sae, options) = import(path, variance(&rows)?)?;
    rows.check_dim(sae.dim(), path)?;
    let id = options.sizes[0].to_string();
    Ok(Checkpoint {
        models: vec![TrainedSae::judge(id, sae, &rows)?],
        options,
        seed: 0,
        data_hash: String::new(),
        trainer_version: 0,
    })
}

/// Whether there are two rows that differ.
fn differ(x: &dyn Rows) -> Result<bool> {
    let (mut first, mut other) = (Vec::new(), Vec::new());
    for i in 0..x.n_rows() {
        if x.fetch(&[0], &mut first)? != x.fetch(&[i], &mut other)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// In memory if there is room, and the room left.
fn fit(file: VectorFile, room: u64, watch: &dyn Watch) -> Result<(Vectors, u64)> {
    let path = file.path().display().to_string();
    let bytes = file.bytes_in_memory();
    let vectors = file.within(room)?;
    let Vectors::OnDisk(_) = &vectors else { return Ok((vectors, room - bytes)) };
    watch.say(&format!(
        "`{path}` is read in every pass, for it does not fit into the memory allowed"
    ));
    Ok((vectors, room))
}

/// Rows to learn from, and rows that validate.
fn split(n: usize, seed: u64) -> (Vec<usize>, Vec<usize>) {
    let mut order = random::permutation(n, &mut random::stream(seed, "sae validation rows"));
    let discover = order.split_off(n / VALIDATION);
    (discover, order)
}

/// Bytes that training takes beside n vectors of d numbers, about: of each autoencoder the weights
/// now and at the best epoch, their gradients and Adam's two moments; the rows of one window; the
/// activations of all rows, by which it is judged in the end.
fn memory_of(options: &SaeOptions, n: usize, d: usize) -> u64 {
    let sizes = options.sizes_for(n);
    let copies = if options.stability { 2 } else { 1 };
    let weights: usize = sizes.iter().map(|size| size.n_neurons * d * copies * 2 * 5 * 4).sum();
    let active = sizes.iter().map(|size| size.k).max().unwrap_or(0);
    (weights + n * (16 * active + 32)) as u64 + WINDOW + (16 << 20)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sae::Size;

    #[test]
    fn a_tenth_of_the_rows_validates_and_the_others_train() {
        let (discover, validation) = split(95, 3);
        assert_eq!((discover.len(), validation.len()), (86, 9));
        let mut all = [discover, validation].concat();
        all.sort_unstable();
        assert_eq!(all, (0..95).collect::<Vec<_>>());
        assert_ne!(split(95, 3).1, split(95, 4).1);
        assert_eq!(split(5, 0).1, [0; 0]);
    }

    #[test]
    fn memory_grows_with_weights_and_rows() {
        let of = |sizes: &[&str], n| {
            let sizes: Vec<Size> = sizes.iter().map(|s| s.parse().unwrap()).collect();
            memory_of(&SaeOptions { sizes, ..SaeOptions::default() }, n, 1_536) >> 20
        };
        assert_eq!(of(&["1024:8"], 100_000), 155);
        assert_eq!(of(&["1024:8", "1024:8"], 100_000), 215);
        assert_eq!(of(&["1024:8"], 1_000_000), 292);
    }
}
