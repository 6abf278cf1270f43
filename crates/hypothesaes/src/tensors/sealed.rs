//! Safetensors files with a header in JSON and a checksum over all, so that a damaged file is
//! refused.
//!
//! The header stands under the metadata key `hypothesaes`; the tensor `checksum` is the BLAKE3 hash
//! of it and of every other tensor's name, type, shape and bytes. Equal values give equal bytes.

use std::borrow::Cow;
use std::io::{self, Write};

use safetensors::{Dtype, SafeTensors};

use super::safetensors::{Tensor, write};

const KEY: &str = "hypothesaes";
const CHECKSUM: &str = "checksum";

/// Writes header and tensors.
///
/// # Errors
/// Those of `out`.
pub fn seal(out: &mut dyn Write, header: &str, mut tensors: Vec<Tensor<'_>>) -> io::Result<()> {
    let parts = tensors.iter().map(|t| (t.name.as_str(), t.dtype, t.shape.as_slice(), &*t.bytes));
    let hash = checksum(header, parts.collect());
    let bytes: Cow<[u8]> = hash.as_bytes().to_vec().into();
    let shape = vec![bytes.len()];
    tensors.push(Tensor { name: CHECKSUM.into(), dtype: Dtype::U8, shape, bytes });
    write(out, (KEY, header), &tensors)
}

/// What [`seal`] wrote.
pub struct Sealed<'a> {
    pub header: String,
    pub tensors: SafeTensors<'a>,
}

impl<'a> Sealed<'a> {
    /// Looks at the header before anything else: a file of another format may differ in all.
    ///
    /// # Errors
    /// In words, if the bytes are no such file or damaged; what `look` says of the header.
    pub fn open<E: From<String>>(
        bytes: &'a [u8],
        look: impl Fn(&str) -> Result<(), E>,
    ) -> Result<Self, E> {
        let tensors = SafeTensors::deserialize(bytes).map_err(|e| e.to_string())?;
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|e| e.to_string())?;
        let header = metadata.metadata().as_ref().and_then(|m| m.get(KEY));
        let header = header.ok_or_else(|| "no `hypothesaes` metadata".to_owned())?.clone();
        look(&header)?;
        let stored = tensors.tensor(CHECKSUM).map_err(|_| "no checksum".to_owned())?;
        let all = tensors.tensors();
        let parts = all.iter().filter(|t| t.0 != CHECKSUM);
        let parts = parts.map(|(n, t)| (n.as_str(), t.dtype(), t.shape(), t.data()));
        if stored.data() != checksum(&header, parts.collect()).as_bytes() {
            return Err("its checksum does not match".to_owned().into());
        }
        Ok(Self { header, tensors })
    }
}

/// Name, type, shape and bytes of a tensor.
type Part<'a> = (&'a str, Dtype, &'a [usize], &'a [u8]);

fn checksum(header: &str, mut tensors: Vec<Part<'_>>) -> blake3::Hash {
    tensors.sort_by_key(|t| t.0);
    let mut hasher = blake3::Hasher::new();
    let mut part = |bytes: &[u8]| {
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    part(header.as_bytes());
    for (name, dtype, shape, bytes) in tensors {
        part(name.as_bytes());
        part(format!("{dtype:?} {shape:?}").as_bytes());
        part(bytes);
    }
    hasher.finalize()
}
