//! Questions by batch jobs: half the price, limits of their own, answers within a day.
//!
//! A question has a name made of all that determines its answer. The store knows which job holds
//! which name, from before the job begins until its answer is kept: whoever asks the same question
//! later, in this process or another, finds the job instead of sending it again.

use std::collections::{BTreeSet, HashSet};

use reqwest::header::HeaderMap;

use super::super::job::Job;
use super::super::service::{self, Service};
use super::super::transport::Reply;
use super::super::{FEW, lock};
use super::{Drive, Flight};
use crate::ask::State;
use crate::store::Standing;
use crate::{Error, Result};

/// Of one file; the service allows 50,000 questions and 200 MB. Answers are longer than questions.
const FILE_QUESTIONS: usize = 20_000;
const FILE_BYTES: usize = 100 << 20;
/// Texts to embed in one file; the service allows 50,000. A vector is up to 16 KB of text.
const FILE_TEXTS: usize = 8192;
/// Seconds between two looks at the jobs: at first, and at most.
const FIRST_LOOK: f64 = 1.0;
const LAST_LOOK: f64 = 60.0;
/// Seconds for which a job without a name may be another process's that is about to name it.
const BEGINNING: u64 = 60;

/// A question and its name.
struct Named {
    job: Job,
    name: String,
}

/// Questions by where they stand.
#[derive(Default)]
struct Sorted {
    arrived: Vec<Named>,
    sent: Vec<Named>,
    new: Vec<Named>,
    /// The jobs that hold `sent`.
    batches: BTreeSet<i64>,
}

impl Sorted {
    /// What has no answer yet.
    fn open(self) -> impl Iterator<Item = Job> {
        self.sent.into_iter().chain(self.new).map(|named| named.job)
    }
}

/// What a look at the jobs showed.
#[derive(Default)]
struct Look {
    ended: bool,
    answered: u64,
}

impl Drive<'_> {
    /// As [`Drive::run`], by way of batch jobs.
    pub async fn run_batched(&mut self) -> Result<()> {
        let server = &self.task.model.server;
        let service = Service { client: self.client, server, watch: self.watch };
        // Tokens that may wait at once, once the service has said that there are too many.
        let mut most: Option<u64> = None;
        loop {
            let mut sorted = self.sorted()?;
            let arrived = std::mem::take(&mut sorted.arrived);
            if !arrived.is_empty() {
                self.take_in(arrived)?;
                if let Some(stop) = self.stop.take() {
                    return Err(stop);
                }
                self.ready.extend(sorted.open());
                continue;
            }
            let direct = self.direct(&mut sorted.new);
            if !direct.is_empty() {
                self.ready = direct.into_iter().map(|named| named.job).collect();
                self.run().await?;
                // What the server was found to take must outlive a program that is killed.
                lock(self.lane).remember(self.task.model, &self.client.store)?;
                self.ready.extend(sorted.open());
                continue;
            }
            if sorted.sent.is_empty() && sorted.new.is_empty() {
                return Ok(());
            }
            self.send_all(&service, &mut sorted, most).await?;
            self.await_one(&service, &sorted, &mut most).await?;
            self.ready.extend(sorted.open());
        }
    }

    /// All questions, named, by where they stand.
    fn sorted(&mut self) -> Result<Sorted> {
        let mut jobs: Vec<Job> = self.ready.drain(..).collect();
        jobs.extend(self.later.drain().map(|std::cmp::Reverse(later)| later.job));
        let named = self.named(jobs);
        let names: Vec<&str> = named.iter().map(|named| named.name.as_str()).collect();
        let standing = self.client.store.standing(&names)?;
        let mut sorted = Sorted::default();
        for (named, standing) in named.into_iter().zip(standing) {
            match standing {
                Standing::Arrived => sorted.arrived.push(named),
                Standing::New => sorted.new.push(named),
                Standing::Sent(batch) => {
                    sorted.batches.insert(batch);
                    sorted.sent.push(named);
                }
            }
        }
        Ok(sorted)
    }

    /// The second of two equal questions gets a name of its own.
    fn named(&self, jobs: Vec<Job>) -> Vec<Named> {
        let model = self.task.model.identity();
        let mut taken = HashSet::new();
        let mut name = |job: &Job| {
            let mut names = (0..).map(|n| job.question.name(&model, n));
            names.find(|name| taken.insert(name.clone())).expect("there is always a next number")
        };
        jobs.into_iter().map(|job| Named { name: name(&job), job }).collect()
    }

    fn take_in(&mut self, arrived: Vec<Named>) -> Result<()> {
        let (generation, room) = {
            let lane = lock(self.lane);
            (lane.generation, lane.dialect.room)
        };
        for Named { job, name } in arrived {
            if self.stop.is_some() || self.watch.interrupted() {
                self.halt(Error::Interrupted);
                return Ok(());
            }
            let Some((status, body)) = self.client.store.reply_of(&name)? else {
                // Another process has used it: its answer may be kept by now, or not.
                self.ready.push_back(job);
                continue;
            };
            let room = room.max(job.room);
            let flight = Flight { job, generation, room, seconds: 0.0, item: Some(name) };
            // A question that the service gave up may be sent again.
            let status = if status == 0 { 500 } else { status };
            self.land_item(flight, &Reply { status, headers: HeaderMap::new(), body })?;
        }
        Ok(())
    }

    /// The questions that are not for a batch job: all where none are wanted, a few, or the first
    /// of a kind that the model has not answered yet, for a job whose form is refused is a day lost.
    fn direct(&self, new: &mut Vec<Named>) -> Vec<Named> {
        if new.len() < FEW || !self.client.options.batch {
            return std::mem::take(new);
        }
        let mut known = lock(self.lane).known.clone();
        new.extract_if(.., |named| known.insert(named.job.question.kind())).collect()
    }

    /// Moves from `new` to `sent` what the service has room for.
    async fn send_all(
        &self,
        service: &Service<'_>,
        Sorted { sent, new, batches, .. }: &mut Sorted,
        most: Option<u64>,
    ) -> Result<()> {
        let mut waiting: u64 = sent.iter().map(|named| self.tokens(&named.job)).sum();
        while !new.is_empty() {
            let (path, n, lines, tokens) = self.file(new, most);
            if waiting > 0 && most.is_some_and(|most| waiting + tokens > most) {
                return Ok(());
            }
            for named in &mut new[..n] {
                self.release(&mut named.job);
                let room = lock(self.lane).dialect.room.max(named.job.room);
                named.job.reserved = self.reserve(&named.job, room, true)?;
            }
            let Some(batch) = self.begin(service, path, &new[..n], &lines).await? else {
                return Ok(());
            };
            waiting += tokens;
            batches.insert(batch);
            sent.extend(new.drain(..n));
        }
        Ok(())
    }

    /// Sends a job; `None` if another process has just sent one of these questions.
    async fn begin(
        &self,
        service: &Service<'_>,
        path: &str,
        questions: &[Named],
        lines: &str,
    ) -> Result<Option<i64>> {
        let file = service.upload(lines).await?;
        let names: Vec<&str> = questions.iter().map(|named| named.name.as_str()).collect();
        let (store, model) = (&self.client.store, self.task.model);
        let begun = store.begin_batch(model.server.base(), &model.name, (path, &file), &names)?;
        let Some(id) = begun else {
            service.delete(&[file]).await?;
            return Ok(None);
        };
        let name = service.begin(&file, path, false).await?;
        store.name_batch(id, &name)?;
        let host = model.server.host();
        self.watch.say(&format!("{} questions sent to {host} as batch job {name}", names.len()));
        Ok(Some(id))
    }

    /// Path, number of questions, lines and tokens of the next file.
    fn file(&self, questions: &[Named], most: Option<u64>) -> (&'static str, usize, String, u64) {
        let (mut lines, mut tokens, mut texts, mut n) = (String::new(), 0, 0, 0);
        let mut path = "";
        for Named { job, name } in questions.iter().take(FILE_QUESTIONS) {
            let room = lock(self.lane).dialect.room.max(job.room);
            let (its_path, body, _) = self.request(job, room);
            let line = service::line(name, its_path, &body);
            let its_tokens = self.tokens(job);
            texts += job.question.n_texts();
            let is_full = lines.len() + line.len() > FILE_BYTES
                || texts > FILE_TEXTS
                || most.is_some_and(|most| tokens + its_tokens > most);
            if n > 0 && is_full {
                break;
            }
            path = its_path;
            lines += &line;
            lines.push('\n');
            tokens += its_tokens;
            n += 1;
        }
        (path, n, lines, tokens)
    }

    fn tokens(&self, job: &Job) -> u64 {
        let (input, output) = job.tokens(lock(self.lane).dialect.room.max(job.room));
        input + output
    }

    /// Until one of the jobs has ended; an error if the user does not want to wait.
    async fn await_one(
        &mut self,
        service: &Service<'_>,
        Sorted { sent, new, batches, .. }: &Sorted,
        most: &mut Option<u64>,
    ) -> Result<()> {
        let mut pause = FIRST_LOOK;
        loop {
            let mut all = Look::default();
            for &batch in batches {
                let look = self.look(service, batch, sent, most).await?;
                all.ended |= look.ended;
                all.answered += look.answered;
            }
            if all.ended || batches.is_empty() {
                return Ok(());
            }
            let waiting = sent.len() + new.len();
            if !self.client.options.wait {
                let server = self.task.model.server.host();
                return Err(Error::Batched { server, waiting, answered: all.answered });
            }
            self.watch.state(&State {
                in_flight: 0,
                waiting,
                spent: self.client.spent(),
                held: Some((format!("batch jobs, {} answered", all.answered), pause)),
            });
            service.pause(pause).await?;
            pause = (1.5 * pause).min(LAST_LOOK);
        }
    }

    /// Looks at one job, and fetches its replies if it has ended.
    async fn look(
        &mut self,
        service: &Service<'_>,
        id: i64,
        sent: &[Named],
        most: &mut Option<u64>,
    ) -> Result<Look> {
        let ended = Look { ended: true, answered: 0 };
        let store = &self.client.store;
        // If not there, another process has fetched it.
        let Some(batch) = store.open_batch(id)? else { return Ok(ended) };
        let name = match batch.name {
            Some(name) => name,
            None if batch.age < BEGINNING => return Ok(Look::default()),
            None => {
                let name = service.begin(&batch.file, &batch.path, true).await?;
                store.name_batch(id, &name)?;
                name
            }
        };
        match service.look(&name).await? {
            service::Job::Open(answered) => Ok(Look { ended: false, answered }),
            service::Job::Ended { mut files, how } => {
                let mut contents = Vec::new();
                for file in &files {
                    contents.push(service.content(file).await?);
                }
                let replies: Vec<_> = contents.iter().flat_map(|c| service::replies(c)).collect();
                store.end_batch(id, &replies, &format!("the batch job ended ({how})"))?;
                files.push(batch.file);
                service.delete(&files).await?;
                Ok(ended)
            }
            service::Job::Gone => {
                store.forget_batch(id)?;
                self.watch.say(&format!("batch job {name} is gone: its questions are sent anew"));
                Ok(ended)
            }
            service::Job::Full(why) => {
                store.forget_batch(id)?;
                service.delete(&[batch.file]).await?;
                let tokens: u64 = sent.iter().map(|named| self.tokens(&named.job)).sum();
                let less = most.map_or(tokens, |most| most.min(tokens)) / 2;
                let least = sent.iter().map(|named| self.tokens(&named.job)).min().unwrap_or(0);
                if less < least {
                    let server = self.task.model.server.host();
                    return Err(Error::Refused { server, why });
                }
                *most = Some(less);
                Ok(ended)
            }
            service::Job::Refused(failure) => {
                store.forget_batch(id)?;
                service.delete(&[batch.file]).await?;
                Err(service.stop(failure))
            }
        }
    }
}
