//! The client: questions out, answers in, everything kept.
//!
//! One event loop on the calling thread sends and receives; there is one lane per server, key and
//! model, shared by all stages, with its limits and what the server was found to be able to do.

mod drive;
mod job;
mod lane;
mod money;
mod service;
mod transport;
mod vectors;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::runtime::{Builder, Runtime};

use crate::ask::{AnswerKey, Ask, Call, Next, Outcome, Task, Watch};
use crate::limits::{Known, Stated};
use crate::price::Prices;
use crate::server::Model;
use crate::store::{CallRow, Kept, Standing, Store};
use crate::{Error, Result};
use drive::Drive;
use job::{Job, Landing, Question, Step};
use lane::Lane;
use transport::Transport;

/// Fewer questions than this are not worth the wait for a batch job, and asked directly.
pub const FEW: usize = 10;

/// Between two looks at whether the user asked to stop.
const TICK: Duration = Duration::from_millis(50);
/// Seconds for which replies under way are waited for after the user asked to stop.
const FAREWELL: f64 = 1.5;

/// How questions are sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClientOptions {
    /// Seconds until a call without a reply is given up and sent again.
    pub timeout: f64,
    /// Seconds without a single answer after which the run stops.
    pub patience: f64,
    /// Calls under way at once, at most; how many there are, the replies decide.
    pub max_concurrent: usize,
    /// Limits of the account, if it is to be held to others than the server tells.
    pub limits: Stated,
    /// Dollars that may be spent.
    pub max_cost: Option<f64>,
    /// Only answers that are kept are used; nothing is asked.
    pub frozen: bool,
    /// Questions are sent as batch jobs, at their price, unless they are few.
    pub batch: bool,
    /// Wait for batch jobs; else [`Error::Batched`] says that they are under way.
    pub wait: bool,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            timeout: 180.0,
            patience: 1800.0,
            max_concurrent: 64,
            limits: Stated::default(),
            max_cost: None,
            frozen: false,
            batch: false,
            wait: false,
        }
    }
}

/// Asks, waits, keeps.
pub struct Client {
    options: ClientOptions,
    store: Store,
    prices: Prices,
    transport: Transport,
    runtime: Runtime,
    /// Names this run in the ledger.
    run: String,
    started: Instant,
    lanes: Mutex<HashMap<String, Arc<Mutex<Lane>>>>,
    spending: Mutex<money::Spending>,
}

impl ClientOptions {
    /// # Errors
    /// [`Error::Option`] for the first one out of range.
    pub fn check(&self) -> Result<()> {
        let positive = |name: &str, value: f64| {
            if value > 0.0 && value.is_finite() { Ok(()) } else { Err(refused(name, value)) }
        };
        positive("timeout", self.timeout)?;
        positive("patience", self.patience)?;
        if !(1..=1024).contains(&self.max_concurrent) {
            return Err(Error::Option {
                name: "max_concurrent".into(),
                value: self.max_concurrent.to_string(),
                allowed: "choose 1 to 1024".into(),
            });
        }
        self.max_cost.map_or(Ok(()), |dollars| positive("max_cost", dollars))
    }
}

fn refused(name: &str, value: f64) -> Error {
    let allowed = "choose a number above 0".into();
    Error::Option { name: name.into(), value: value.to_string(), allowed }
}

impl Client {
    /// # Errors
    /// [`Error::Option`]; [`Error::Unreachable`] if this machine can make no connections at all.
    pub fn new(options: ClientOptions, store: Store, prices: Prices) -> Result<Self> {
        options.check()?;
        let transport = Transport::new(Duration::from_secs_f64(options.timeout))?;
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| Error::Unreachable { server: "any server".into(), why: e.to_string() })?;
        Ok(Self {
            options,
            store,
            prices,
            transport,
            runtime,
            run: format!("{:016x}", fastrand::u64(..)),
            started: Instant::now(),
            lanes: Mutex::default(),
            spending: Mutex::default(),
        })
    }

    pub fn store(&self) -> &Store {
        &self.store
    }

    pub fn prices(&self) -> &Prices {
        &self.prices
    }

    pub fn options(&self) -> &ClientOptions {
        &self.options
    }

    /// Names this run in the ledger.
    pub fn run_id(&self) -> &str {
        &self.run
    }

    /// Dollars spent by this client; `None` once a call had no known price.
    pub fn spent(&self) -> Option<f64> {
        lock(&self.spending).spent()
    }

    /// The limits of `model` as far as they are known, from earlier runs too.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn limits(&self, model: &Model) -> Result<Vec<Known>> {
        Ok(lock(&*self.lane(model)?).pacer.known())
    }

    /// The vectors of `texts`, of which none may be empty: kept ones are not asked for again.
    /// `None` for a text that the server gives no vector for; `watch` has been told why.
    ///
    /// # Errors
    /// As [`Ask::ask`].
    pub fn embed(
        &self,
        task: Task,
        texts: &[&str],
        watch: &dyn Watch,
    ) -> Result<Vec<Option<Vec<f32>>>> {
        vectors::embed(self, task, texts, watch)
    }

    /// Keeps vectors that were had elsewhere, so that they are not asked for.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn keep_vectors(&self, model: &Model, texts: &[&str], vectors: &[&[f32]]) -> Result<()> {
        let keys = vectors::keys(model, texts);
        let vectors = vectors.iter().map(|vector| Kept::Vector(vector.to_vec()));
        let kept: Vec<(AnswerKey, Kept)> = keys.into_iter().zip(vectors).collect();
        self.import("embed", &model.name, &kept)
    }

    /// Keeps texts that no call brought, under keys of the caller's own.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn keep_texts(&self, texts: Vec<(AnswerKey, String)>) -> Result<()> {
        let kept: Vec<_> = texts.into_iter().map(|(key, text)| (key, Kept::Text(text))).collect();
        self.import("import", "", &kept)
    }

    fn import(&self, stage: &str, model: &str, kept: &[(AnswerKey, Kept)]) -> Result<()> {
        let run = self.run_id();
        let dollars = Some(0.0);
        let call = CallRow { run, stage, model, status: "imported", dollars, ..CallRow::default() };
        self.store.record(&call, kept)
    }

    /// How many of `texts` have their vectors kept.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn n_embedded(&self, model: &Model, texts: &[&str]) -> Result<usize> {
        let kept = self.store.get(&vectors::keys(model, texts))?;
        Ok(kept.iter().flatten().count())
    }

    /// How `model` is asked, as far as has been found out, in words for the user.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn face(&self, model: &Model) -> Result<String> {
        Ok(lock(&*self.lane(model)?).dialect.told())
    }

    /// Which of `texts` are asked for one by one, because a batch job holds them or is to: the
    /// question is then the same whatever other texts there are.
    fn may_be_batched(&self, model: &Model, texts: &[String]) -> Result<Vec<bool>> {
        if self.options.batch || !self.store.has_batched()? {
            return Ok(vec![self.options.batch; texts.len()]);
        }
        let model = model.identity();
        let name = |text: &String| Question::Texts(vec![text.clone()]).name(&model, 0);
        let names: Vec<String> = texts.iter().map(name).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let standing = self.store.standing(&names)?;
        Ok(standing.into_iter().map(|standing| standing != Standing::New).collect())
    }

    fn now(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }

    fn lane(&self, model: &Model) -> Result<Arc<Mutex<Lane>>> {
        let name = lane::name(model);
        let mut lanes = lock(&self.lanes);
        if let Some(lane) = lanes.get(&name) {
            return Ok(Arc::clone(lane));
        }
        let lane = Arc::new(Mutex::new(Lane::open(model, &self.store, &self.options, self.now())?));
        lanes.insert(name, Arc::clone(&lane));
        Ok(lane)
    }

    fn drive(
        &self,
        task: Task,
        jobs: Vec<Job>,
        take: &mut dyn FnMut(usize, Landing) -> Step,
        watch: &dyn Watch,
    ) -> Result<()> {
        if jobs.is_empty() {
            return Ok(());
        }
        if self.options.frozen {
            return Err(Error::Frozen { missing: jobs.len() });
        }
        let lane = self.lane(task.model)?;
        let mut drive = Drive::new(self, task, &lane, jobs, take, watch);
        // What was sent as a batch job is not asked directly as long as the job may answer it.
        let result = if self.options.batch || self.store.has_batched()? {
            self.runtime.block_on(drive.run_batched())
        } else {
            self.runtime.block_on(drive.run())
        };
        lock(&lane).remember(task.model, &self.store)?;
        result
    }
}

impl Ask for Client {
    fn ask(
        &self,
        task: Task,
        calls: Vec<Call>,
        take: &mut dyn FnMut(usize, Outcome) -> Next,
        watch: &dyn Watch,
    ) -> Result<()> {
        let mut take = |id, landing| match landing {
            Landing::Prompt(outcome) => Step::from(take(id, outcome)),
            Landing::Vectors(_) => Step::default(),
        };
        let jobs = calls.into_iter().map(Job::from).collect();
        self.drive(task, jobs, &mut take, watch)
    }

    fn kept(&self, keys: &[AnswerKey]) -> Result<Vec<Option<String>>> {
        let kept = self.store.get(keys)?;
        let text = |kept| match kept {
            Some(Kept::Text(text)) => Some(text),
            _ => None,
        };
        Ok(kept.into_iter().map(text).collect())
    }

    fn is_frozen(&self) -> bool {
        self.options.frozen
    }
}

/// A panic elsewhere leaves these plain figures whole.
fn lock<T: ?Sized>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
