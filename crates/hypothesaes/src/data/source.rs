//! The bytes of an input file: found, counted, hashed, unpacked.
//!
//! Bytes pass through a [`Meter`], so that the hash is that of what was read.

use std::cell::{Cell, OnceCell, RefCell};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::names;
use crate::error::Place;
use crate::watch::Watch;
use crate::{Error, Result};

/// A file that can be read.
#[derive(Debug)]
pub(super) struct Source {
    pub path: PathBuf,
    /// Size on disk.
    pub bytes: u64,
    pub packing: Option<Packing>,
    /// Nameless temporary file with the contents of a packed one, once they have been asked for.
    unpacked: OnceCell<File>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    Gzip,
    Zstd,
}

/// Counts and hashes what is read from disk.
#[derive(Debug, Default)]
pub(super) struct Meter {
    hasher: RefCell<blake3::Hasher>,
    bytes: Cell<u64>,
}

const BUFFER: usize = 1 << 17;
const PIECE: usize = 1 << 20;

impl Source {
    /// The file of this name.
    ///
    /// # Errors
    /// [`Error::Input`] if it does not exist, or is no file; [`Error::File`] if it is unreadable.
    pub fn find(path: &Path) -> Result<Self> {
        let kind = match fs::metadata(path) {
            Ok(kind) => kind,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Err(missing(path)),
            Err(e) => return Err(Error::file("read", path)(e)),
        };
        if kind.is_dir() {
            let files = names::list(&files_in(path));
            return Err(Error::input(path, format!("is a folder; name a file, here: {files}")));
        }
        if !kind.is_file() {
            return Err(Error::input(
                path,
                "is no regular file; write its contents to a file first",
            ));
        }
        let packing = first_bytes(path).map_err(Error::file("read", path))?;
        let unpacked = OnceCell::new();
        Ok(Self { path: path.to_owned(), bytes: kind.len(), packing, unpacked })
    }

    /// The unpacked contents.
    pub fn open(&self, meter: &Rc<Meter>) -> Result<Box<dyn Read>> {
        let file = File::open(&self.path).map_err(Error::file("read", &self.path))?;
        let raw = BufReader::with_capacity(BUFFER, Metered { file, meter: Rc::clone(meter) });
        Ok(match self.packing {
            None => Box::new(raw),
            Some(Packing::Gzip) => {
                Box::new(Unpacked(flate2::bufread::MultiGzDecoder::new(raw), Packing::Gzip))
            }
            Some(Packing::Zstd) => {
                let decoder = zstd::stream::read::Decoder::with_buffer(raw).and_then(|mut d| {
                    // Files packed by `zstd --long=31` look back that far.
                    d.window_log_max(31)?;
                    Ok(d)
                });
                let decoder = decoder.map_err(Error::file("unpack", &self.path))?;
                Box::new(Unpacked(decoder, Packing::Zstd))
            }
        })
    }

    /// The unpacked contents as a file, for formats that are read from their end.
    pub fn open_seekable(&self, watch: &dyn Watch) -> Result<File> {
        if self.packing.is_none() {
            return File::open(&self.path).map_err(Error::file("read", &self.path));
        }
        let unpack = Error::file("unpack", &self.path);
        if let Some(file) = self.unpacked.get() {
            return file.try_clone().map_err(unpack);
        }
        let mut file = match tempfile::tempfile() {
            Ok(file) => file,
            Err(e) => return Err(unpack(e)),
        };
        let mut contents = self.open(&Rc::default())?;
        self.pieces(&mut contents, watch, |piece| {
            file.write_all(piece).map_err(Error::file("unpack", &self.path))
        })?;
        self.unpacked.get_or_init(|| file).try_clone().map_err(unpack)
    }

    /// Runs the whole file, packed as it is, through the meter.
    pub fn hash(&self, meter: &Meter, watch: &dyn Watch) -> Result<()> {
        let mut file = File::open(&self.path).map_err(Error::file("read", &self.path))?;
        self.pieces(&mut file, watch, |piece| {
            meter.hasher.borrow_mut().update(piece);
            Ok(())
        })
    }

    fn pieces(
        &self,
        from: &mut dyn Read,
        watch: &dyn Watch,
        mut take: impl FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let mut piece = vec![0; PIECE];
        loop {
            watch.check()?;
            match from.read(&mut piece).map_err(|e| self.fault(Place::default(), e))? {
                0 => return Ok(()),
                n => take(&piece[..n])?,
            }
        }
    }

    /// What a failed read means: a fault of the disk, or damage at a place in the file.
    pub fn fault(&self, place: Place, error: io::Error) -> Error {
        if error.raw_os_error().is_some() {
            return Error::file("read", &self.path)(error);
        }
        self.damage(place, error.to_string())
    }

    /// Damage at a place in this file.
    pub fn damage(&self, place: Place, message: impl Into<String>) -> Error {
        Error::Input { place: Place { file: self.path.clone(), ..place }, message: message.into() }
    }

    /// Ending of the name in lower case without that of the packing, and the packing it tells of.
    pub fn ending(&self) -> (String, Option<Packing>) {
        let lower = |p: &Path| {
            p.extension().and_then(OsStr::to_str).unwrap_or_default().to_ascii_lowercase()
        };
        let last = lower(&self.path);
        let packing = match last.as_str() {
            "gz" | "gzip" => Packing::Gzip,
            "zst" | "zstd" => Packing::Zstd,
            _ => return (last, None),
        };
        (lower(&self.path.with_extension("")), Some(packing))
    }
}

impl Meter {
    /// Bytes read so far.
    pub fn bytes(&self) -> u64 {
        self.bytes.get()
    }

    /// For formats that are not read from front to end.
    pub fn set_bytes(&self, bytes: u64) {
        self.bytes.set(bytes);
    }

    /// Blake3 of the bytes read so far, in hexadecimal digits.
    pub fn hash(&self) -> String {
        self.hasher.borrow().finalize().to_hex().to_string()
    }
}

impl Packing {
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

struct Metered {
    file: File,
    meter: Rc<Meter>,
}

impl Read for Metered {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read(buffer)?;
        self.meter.hasher.borrow_mut().update(&buffer[..n]);
        self.meter.bytes.set(self.meter.bytes.get() + n as u64);
        Ok(n)
    }
}

/// A decompressor whose complaints name the packing.
struct Unpacked<R>(R, Packing);

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|e| {
            if e.raw_os_error().is_some() {
                return e;
            }
            let name = self.1.name();
            let message = match e.kind() {
                io::ErrorKind::UnexpectedEof => format!("cut off: the {name} data end too early"),
                _ => format!("the {name} data are damaged: {e}"),
            };
            io::Error::new(e.kind(), message)
        })
    }
}

/// What the first bytes tell of the packing.
fn first_bytes(path: &Path) -> io::Result<Option<Packing>> {
    let mut magic = Vec::new();
    File::open(path)?.take(4).read_to_end(&mut magic)?;
    Ok(match magic.as_slice() {
        [0x1f, 0x8b, ..] => Some(Packing::Gzip),
        // A frame, or a frame to be skipped as parallel packers write it first.
        [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18] => Some(Packing::Zstd),
        _ => None,
    })
}

fn missing(path: &Path) -> Error {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        let message = format!("no such file; no folder `{}`", folder.display());
        return Error::Missing { path: path.to_owned(), message };
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let files = files_in(folder);
    let near = names::nearest(&name, &files);
    let hint = if near.is_empty() { files } else { near };
    let message = format!("no such file; the folder has {}", names::list(&hint));
    Error::Missing { path: path.to_owned(), message }
}

/// Names of the plain files in a folder, sorted.
fn files_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let files = entries.filter(|e| e.path().is_file());
    let mut names: Vec<String> =
        files.map(|e| e.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
