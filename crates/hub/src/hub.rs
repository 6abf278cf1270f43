//! The hub: what it has, and how it comes here.

use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Duration;

use crate::cache::{Found, Layout, has_size};
use crate::download::{Download, incomplete};
use crate::listing::{Listing, RemoteFile};
use crate::name::Model;
use crate::retry::{Failure, Retries};
use crate::select::{self, INDEX};
use crate::transport::{Transport, endpoint};
use crate::watch::{Progress, Step, Watch};
use crate::{ENDPOINT, Error, Result, Token, hint, stored};

/// Where models come from and go to.
#[derive(Debug, Clone)]
pub struct HubOptions {
    /// The hub's address, or that of a mirror.
    pub endpoint: String,
    /// The folder of all models, as `~/.cache/huggingface/hub`.
    pub cache: PathBuf,
    /// Sent to the endpoint, and to nobody else.
    pub token: Option<Token>,
    /// Whether nobody may be asked.
    pub offline: bool,
    /// How long nothing may come before a connection counts as broken.
    pub stall: Duration,
    /// Connections in a row that may come to nothing.
    pub tries: u32,
    /// The first pause between two of them; each is twice the one before.
    pub pause: Duration,
}

impl HubOptions {
    /// The usual hub, without a token.
    pub fn new(cache: impl Into<PathBuf>) -> Self {
        Self {
            endpoint: ENDPOINT.into(),
            cache: cache.into(),
            token: None,
            offline: false,
            stall: Duration::from_secs(30),
            tries: 5,
            pause: Duration::from_secs(1),
        }
    }
}

/// A hub, and the cache that its models come into.
#[derive(Debug, Clone)]
pub struct Hub {
    options: HubOptions,
}

/// What would come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    model: Model,
    listing: Listing,
    /// Those of the list that are needed.
    files: Vec<RemoteFile>,
    missing: u64,
}

impl Plan {
    /// The commit that the revision names now.
    pub fn commit(&self) -> &str {
        &self.listing.commit
    }

    /// Paths and lengths of the files that are needed.
    pub fn files(&self) -> impl Iterator<Item = (&str, u64)> {
        self.files.iter().map(|file| (file.path.as_str(), file.size))
    }

    /// Bytes of them all.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }

    /// Bytes that are not here yet.
    pub fn missing(&self) -> u64 {
        self.missing
    }

    /// Whether the weights are in several files.
    pub fn is_in_parts(&self) -> bool {
        self.files.iter().any(|file| file.path.ends_with(INDEX))
    }
}

/// A model that can be opened.
#[derive(Debug)]
pub struct Fetched {
    /// Its files.
    pub folder: PathBuf,
    pub commit: String,
    /// Why it is not what the hub has now, if that could not be had: it may be older, or lack a part.
    pub stale: Option<Error>,
}

type Each<'a> = dyn FnMut(Progress<'_>) -> ControlFlow<()> + 'a;

impl Hub {
    /// # Errors
    /// [`Error::Name`] for an address that is none.
    pub fn new(options: HubOptions) -> Result<Self> {
        endpoint(&options.endpoint)?;
        Ok(Self { options })
    }

    /// Brings the model `name` at `revision`, a branch, a tag or a commit, and gives its folder. `each`
    /// is told how far it is, several times a second, and ends it by [`ControlFlow::Break`]. Not to be
    /// called from asynchronous code.
    ///
    /// A commit that is here whole is not asked for. A branch is, but if that fails for want of a
    /// network, what is here is taken.
    ///
    /// # Errors
    /// Any [`Error`].
    pub fn fetch(&self, name: &str, revision: &str, each: &mut Each) -> Result<Fetched> {
        let model = Model::new(name, revision)?;
        let layout = Layout::new(&self.options.cache, &model);
        if model.commit().is_some()
            && let Some(Found { folder, commit, is_whole: true }) = layout.find()
        {
            return Ok(Fetched { folder, commit, stale: None });
        }
        let mut watch = Watch::new(each);
        let brought = block_on(async {
            let transport = self.transport(&model)?;
            let plan = self.ask(&transport, &model, &mut watch).await?;
            self.bring(&transport, &plan, &mut watch).await
        });
        // Looked for only now: the hub may have told of files that are missing.
        match brought {
            Err(error) if error.is_of_network() => match layout.find() {
                Some(Found { folder, commit, .. }) => {
                    Ok(Fetched { folder, commit, stale: Some(error) })
                }
                None => Err(error),
            },
            brought => brought,
        }
    }

    /// What [`Self::fetch`] would bring, by one question to the hub.
    ///
    /// # Errors
    /// Any but those of files that came.
    pub fn plan(&self, name: &str, revision: &str, each: &mut Each) -> Result<Plan> {
        let model = Model::new(name, revision)?;
        let mut watch = Watch::new(each);
        block_on(async {
            let transport = self.transport(&model)?;
            self.ask(&transport, &model, &mut watch).await
        })
    }

    /// Brings what was planned, as [`Self::fetch`] does.
    ///
    /// # Errors
    /// Any [`Error`].
    pub fn carry_out(&self, plan: &Plan, each: &mut Each) -> Result<Fetched> {
        let mut watch = Watch::new(each);
        block_on(async {
            let transport = self.transport(&plan.model)?;
            self.bring(&transport, plan, &mut watch).await
        })
    }

    fn transport(&self, model: &Model) -> Result<Transport> {
        if self.options.offline {
            return Err(Error::Offline {
                model: model.name.clone(),
                revision: model.revision.clone(),
                cache: self.options.cache.clone(),
            });
        }
        Transport::new(&self.options)
    }

    fn retries(&self) -> Retries {
        Retries { tries: self.options.tries.max(1), pause: self.options.pause }
    }

    async fn ask(
        &self,
        transport: &Transport,
        model: &Model,
        watch: &mut Watch<'_>,
    ) -> Result<Plan> {
        let layout = Layout::new(&self.options.cache, model);
        // A download of a commit that was broken off has left the list.
        let kept = model.commit().and_then(|commit| {
            let files = stored::read(&layout.repository(), commit)?;
            Some(Listing { commit: commit.to_owned(), files })
        });
        let listing = match kept {
            Some(listing) => listing,
            None => match self.list(transport, model, watch).await {
                Ok(listing) => listing,
                Err(error) => return Err(hint::add(error, transport, model, watch).await),
            },
        };
        let files = select::wanted(&listing.files);
        select::check(&model.name, &listing.files, &files)?;
        let missing = missing(&layout, &files);
        Ok(Plan { model: model.clone(), listing, files, missing })
    }

    async fn list(
        &self,
        transport: &Transport,
        model: &Model,
        watch: &mut Watch<'_>,
    ) -> Result<Listing> {
        let parts = ["api", "models"].into_iter().chain(model.name.split('/'));
        let mut url = transport.address(parts.chain(["revision", &model.revision]));
        url.set_query(Some("blobs=true"));
        let listing = self
            .retries()
            .run(watch, async |watch| {
                watch.step = Step::Asking;
                let body = transport.text(url.clone(), model, watch).await?;
                Listing::read(&body).map_err(|why| Failure::Final(transport.foreign(&why)))
            })
            .await?;
        if model.commit().is_some_and(|commit| commit != listing.commit) {
            return Err(transport.foreign("asked for one commit, it gave another"));
        }
        Ok(listing)
    }

    async fn bring(
        &self,
        transport: &Transport,
        plan: &Plan,
        watch: &mut Watch<'_>,
    ) -> Result<Fetched> {
        let Plan { model, listing, files, .. } = plan;
        let commit = &listing.commit;
        let layout = Layout::new(&self.options.cache, model);
        watch.total = plan.bytes();
        // Without it the hub is asked again, no more; a cache that is whole need not be written to.
        let _ = stored::write(&layout.repository(), listing);
        let retries = self.retries();
        let download = Download { transport, layout: &layout, model, commit, retries };
        for file in files {
            download.bring(file, watch).await?;
        }
        // These are what a model is known by; other programs look for no more.
        let is_mark = |file: &&RemoteFile| ["config.json", "modules.json"].contains(&&*file.path);
        let (marks, others): (Vec<_>, Vec<_>) = files.iter().partition(is_mark);
        for file in others.into_iter().chain(marks) {
            layout.link(commit, file)?;
        }
        layout.refer(commit)?;
        Ok(Fetched { folder: layout.snapshot(commit), commit: commit.clone(), stale: None })
    }
}

/// Bytes that have to come; equal files come once.
fn missing(layout: &Layout, files: &[RemoteFile]) -> u64 {
    let blobs: BTreeMap<_, _> = files.iter().map(|file| (&file.digest, file.size)).collect();
    let left = |(digest, size): (_, u64)| {
        let blob = layout.blob(digest);
        if has_size(&blob, size) {
            return 0;
        }
        let here = fs::metadata(incomplete(&blob)).map_or(0, |found| found.len());
        if here > size { size } else { size - here }
    };
    blobs.into_iter().map(left).sum()
}

fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime =
        runtime.map_err(|e| Error::Unreachable { host: "any host".into(), why: e.to_string() })?;
    let result = runtime.block_on(work);
    // A name that is being looked up would be waited for, also after an interruption.
    runtime.shutdown_background();
    result
}
