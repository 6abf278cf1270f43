//! One file's way into the cache.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use url::Url;

use crate::cache::{Layout, beside, has_size, make_folder_of};
use crate::listing::RemoteFile;
use crate::lock::Lock;
use crate::name::Model;
use crate::retry::{Failure, Passing, Retries};
use crate::transport::Transport;
use crate::watch::{Step, Watch};
use crate::{Error, Result};

/// A file that comes again after it came damaged.
const TIMES: usize = 2;

pub(crate) struct Download<'a> {
    pub transport: &'a Transport,
    pub layout: &'a Layout,
    pub model: &'a Model,
    pub commit: &'a str,
    pub retries: Retries,
}

impl Download<'_> {
    /// Brings the file's blob, unless it is there.
    pub async fn bring(&self, file: &RemoteFile, watch: &mut Watch<'_>) -> Result<()> {
        let blob = self.layout.blob(&file.digest);
        let before = watch.done;
        watch.file.clone_from(&file.path);
        if !has_size(&blob, file.size) {
            let lock = Lock::wait(&self.layout.lock(&file.digest), watch).await?;
            // Whoever held it may have brought the file.
            if !has_size(&blob, file.size) {
                let partial = partial(&blob, lock.held);
                self.fill(&partial, file, watch).await?;
                fs::rename(&partial, &blob).map_err(Error::file("write", &blob))?;
            }
        }
        watch.done = before + file.size;
        watch.step = Step::Receiving;
        watch.ask()
    }

    /// Fills `partial` until its checksum fits.
    async fn fill(&self, partial: &Path, file: &RemoteFile, watch: &mut Watch<'_>) -> Result<()> {
        make_folder_of(partial)?;
        let before = watch.done;
        let mut found = None;
        for _ in 0..TIMES {
            let host = self.receive(partial, file, before, watch).await?;
            watch.step = Step::Checking;
            // As it lies on the disk: part of it may have come at another time.
            let digest = file.digest.of(partial, watch)?;
            if digest == file.digest {
                return Ok(());
            }
            fs::remove_file(partial).map_err(Error::file("remove", partial))?;
            watch.done = before;
            found = Some((host, digest));
        }
        let (host, digest) = found.unwrap_or_else(|| (self.transport.host(), file.digest.clone()));
        Err(Error::Checksum {
            host,
            model: self.model.name.clone(),
            file: file.path.clone(),
            expected: file.digest.hex().to_owned(),
            found: digest.hex().to_owned(),
        })
    }

    /// Brings the bytes that are missing; gives the host that sent the last.
    async fn receive(
        &self,
        partial: &Path,
        file: &RemoteFile,
        before: u64,
        watch: &mut Watch<'_>,
    ) -> Result<String> {
        let mut open = File::options();
        let open = open.create(true).append(true).open(partial);
        let mut to = open.map_err(Error::file("write", partial))?;
        let mut host = self.transport.host();
        self.retries
            .run(watch, async |watch| {
                let mut begun = Partial { path: partial, to: &mut to, before };
                host = self.attempt(&mut begun, file, watch).await?;
                Ok(())
            })
            .await?;
        to.sync_all().map_err(Error::file("write", partial))?;
        Ok(host)
    }

    async fn attempt(
        &self,
        partial: &mut Partial<'_>,
        file: &RemoteFile,
        watch: &mut Watch<'_>,
    ) -> Result<String, Failure> {
        watch.step = Step::Receiving;
        let mut here = partial.length()?;
        if here > file.size {
            here = partial.empty()?;
        }
        watch.done = partial.before + here;
        if here == file.size {
            return Ok(self.transport.host());
        }
        let from = (here > 0).then_some(here);
        let mut reply = self.transport.get(self.address(file), from, self.model, watch).await?;
        let goes_on = reply.status() == 206 && reply.start() == Some(here);
        if from.is_some() && !goes_on {
            here = partial.empty()?;
            watch.done = partial.before;
            if reply.status() != 200 {
                return Err(passing(&reply.host, "it did not send the rest of a file"));
            }
        } else if from.is_none() && reply.status() != 200 {
            return Err(passing(&reply.host, "it did not send the whole file"));
        }
        while let Some(bytes) = self.transport.part(&mut reply, watch).await? {
            here += bytes.len() as u64;
            if here > file.size {
                partial.empty()?;
                watch.done = partial.before;
                return Err(passing(&reply.host, "it sent more than the file's length"));
            }
            partial.write(&bytes)?;
            watch.done = partial.before + here;
        }
        if here < file.size {
            return Err(passing(&reply.host, "it ended in the middle of a file"));
        }
        Ok(reply.host)
    }

    fn address(&self, file: &RemoteFile) -> Url {
        let name = self.model.name.split('/');
        let parts = name.chain(["resolve", self.commit]).chain(file.path.split('/'));
        self.transport.address(parts)
    }
}

/// Where the bytes wait until all are here. The name is the one that is gone on with, or, where nothing
/// keeps another program from writing to it, one of its own.
fn partial(blob: &Path, is_locked: bool) -> PathBuf {
    let shared = incomplete(blob);
    if is_locked { shared } else { beside(&shared) }
}

pub(crate) fn incomplete(blob: &Path) -> PathBuf {
    let name = blob.file_name().unwrap_or_default().to_string_lossy();
    blob.with_file_name(format!("{name}.incomplete"))
}

fn passing(host: &str, why: &str) -> Failure {
    let (host, why) = (host.to_owned(), why.to_owned());
    Failure::Passing(Passing { host, why, after: None, unconnected: false })
}

/// A file that grows.
struct Partial<'a> {
    path: &'a Path,
    to: &'a mut File,
    /// Bytes of the files before.
    before: u64,
}

impl Partial<'_> {
    fn length(&self) -> Result<u64> {
        Ok(self.to.metadata().map_err(Error::file("read", self.path))?.len())
    }

    fn empty(&mut self) -> Result<u64> {
        self.to.set_len(0).map_err(Error::file("write", self.path))?;
        Ok(0)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.to.write_all(bytes).map_err(Error::file("write", self.path))
    }
}
