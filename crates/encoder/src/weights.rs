//! Tensors of safetensors files, read one at a time, as f32.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use half::{bf16, f16};
use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};

use crate::{Error, Precision, Result, folder};

/// Bytes of a header beyond which a file is taken to be no safetensors file, as in the format.
const MOST_HEADER: u64 = 100_000_000;

/// The tensors of a model, in one file or in several.
pub(crate) struct Weights {
    files: Vec<Open>,
    tensors: HashMap<String, Place>,
    prefix: String,
    /// In which matrices are kept that tokens are multiplied by.
    pub precision: Precision,
}

struct Open {
    path: PathBuf,
    file: Mutex<File>,
    /// Where the tensors' bytes begin.
    base: u64,
}

struct Place {
    file: usize,
    info: TensorInfo,
}

impl Weights {
    /// Those in a model's folder.
    pub fn open(folder: &Path, precision: Precision) -> Result<Self> {
        let (mut files, mut tensors) = (Vec::new(), HashMap::new());
        for path in folder::weights(folder)? {
            let (open, of_file) = Open::read(&path)?;
            let file = files.len();
            tensors.extend(of_file.into_iter().map(|(name, info)| (name, Place { file, info })));
            files.push(open);
        }
        Ok(Self { files, tensors, prefix: String::new(), precision })
    }

    /// Takes off what stands before `known` in the names of tensors, as `bert.` before
    /// `embeddings.word_embeddings.weight`.
    pub fn strip_before(&mut self, known: &str) {
        let found =
            self.tensors.keys().filter(|name| name.ends_with(known)).min_by_key(|n| n.len());
        self.prefix = found.map_or(String::new(), |name| name[..name.len() - known.len()].into());
    }

    /// What a message names that is about all of them.
    pub fn path(&self) -> &Path {
        self.files.first().map_or(Path::new(""), |open| &open.path)
    }

    pub fn has(&self, name: &str) -> bool {
        self.place(name).is_some()
    }

    /// Rows and columns of a matrix.
    pub fn shape(&self, name: &str) -> Result<[usize; 2]> {
        match self.known(name)?.info.shape[..] {
            [rows, columns] => Ok([rows, columns]),
            _ => Err(self.misfit(name, "a matrix")),
        }
    }

    /// A tensor of this shape.
    pub fn tensor(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        let place = self.known(name)?;
        if place.info.shape != shape {
            return Err(self.misfit(name, &format!("{shape:?}")));
        }
        self.read(name, place)
    }

    /// A vector of any length, if it is there.
    pub fn vector(&self, name: &str) -> Result<Option<Vec<f32>>> {
        let Some(place) = self.place(name) else { return Ok(None) };
        self.tensor(name, &place.info.shape).map(Some)
    }

    /// Whole numbers, none below 0, if they are there.
    pub fn whole(&self, name: &str) -> Result<Option<Vec<usize>>> {
        let Some(place) = self.place(name) else { return Ok(None) };
        let bytes = self.bytes(place)?;
        let numbers: Option<Vec<usize>> = match place.info.dtype {
            Dtype::I64 => {
                let all = bytes.as_chunks().0.iter();
                all.map(|b| usize::try_from(i64::from_le_bytes(*b)).ok()).collect()
            }
            Dtype::I32 => {
                let all = bytes.as_chunks().0.iter();
                all.map(|b| usize::try_from(i32::from_le_bytes(*b)).ok()).collect()
            }
            _ => None,
        };
        let message = || format!("the tensor `{name}` does not hold whole numbers of 0 and more");
        numbers.map(Some).ok_or_else(|| Error::model(self.path_of(place), message()))
    }

    pub fn if_there(&self, name: &str, shape: &[usize]) -> Result<Option<Vec<f32>>> {
        self.has(name).then(|| self.tensor(name, shape)).transpose()
    }

    fn place(&self, name: &str) -> Option<&Place> {
        self.tensors.get(&format!("{}{name}", self.prefix))
    }

    fn known(&self, name: &str) -> Result<&Place> {
        self.place(name).ok_or_else(|| {
            Error::model(self.path(), format!("lacks the tensor `{}{name}`", self.prefix))
        })
    }

    fn path_of(&self, place: &Place) -> &Path {
        &self.files[place.file].path
    }

    fn misfit(&self, name: &str, expected: &str) -> Error {
        let place = self.place(name);
        let shape = place.map(|place| place.info.shape.clone()).unwrap_or_default();
        let message = format!(
            "the tensor `{name}` has the shape {shape:?}, not {expected}, as config.json has it"
        );
        Error::model(place.map_or(self.path(), |place| self.path_of(place)), message)
    }

    fn bytes(&self, place: &Place) -> Result<Vec<u8>> {
        let Open { path, file, base } = &self.files[place.file];
        let (start, end) = place.info.data_offsets;
        let mut bytes = vec![0; end - start];
        let mut file = file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        file.seek(SeekFrom::Start(base + start as u64)).map_err(Error::file(path))?;
        file.read_exact(&mut bytes).map_err(Error::file(path))?;
        Ok(bytes)
    }

    fn read(&self, name: &str, place: &Place) -> Result<Vec<f32>> {
        let bytes = self.bytes(place)?;
        let halves = || bytes.as_chunks::<2>().0.iter();
        Ok(match place.info.dtype {
            Dtype::F32 => bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
            Dtype::F16 => halves().map(|b| f16::from_le_bytes(*b).to_f32()).collect(),
            Dtype::BF16 => halves().map(|b| bf16::from_le_bytes(*b).to_f32()).collect(),
            #[expect(clippy::cast_possible_truncation, reason = "the engine computes in f32")]
            Dtype::F64 => {
                bytes.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b) as f32).collect()
            }
            other => {
                let message = format!("the tensor `{name}` holds {other:?}; numbers are needed");
                return Err(Error::model(self.path_of(place), message));
            }
        })
    }
}

impl Open {
    /// Reads what a file says of its tensors.
    fn read(path: &Path) -> Result<(Self, HashMap<String, TensorInfo>)> {
        let mut file = File::open(path).map_err(Error::file(path))?;
        let length = file.metadata().map_err(Error::file(path))?.len();
        let damaged = |what: &str| Error::model(path, format!("no safetensors file: {what}"));
        let mut size = [0; 8];
        file.read_exact(&mut size).map_err(|_| damaged("it is too short"))?;
        let size = u64::from_le_bytes(size);
        if size > MOST_HEADER || size + 8 > length {
            return Err(damaged("its header does not fit into it"));
        }
        let mut header = vec![0; usize::try_from(size).unwrap_or(0)];
        file.read_exact(&mut header).map_err(Error::file(path))?;
        let metadata: Metadata =
            serde_json::from_slice(&header).map_err(|e| damaged(&e.to_string()))?;
        let base = 8 + size;
        let tensors: HashMap<String, TensorInfo> =
            metadata.tensors().into_iter().map(|(name, info)| (name, info.clone())).collect();
        let end = tensors.values().map(|info| info.data_offsets.1 as u64).max().unwrap_or(0);
        if base + end > length {
            let missing = base + end - length;
            let message = format!("it is cut short, {missing} bytes are missing; get it anew");
            return Err(Error::model(path, message));
        }
        Ok((Self { path: path.to_owned(), file: Mutex::new(file), base }, tensors))
    }
}
