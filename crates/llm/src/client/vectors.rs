//! Texts to vectors: what is kept, what has to be asked, in batches by tokens and count.

use super::job::{Job, Landing, NoVectors, Question, Step};
use super::{Client, lock};
use crate::ask::{AnswerKey, Task, Watch};
use crate::server::Model;
use crate::store::Kept;
use crate::{Result, tokens};

/// Goes up with every change of what is sent for a text.
const VERSION: &str = "embedding 1";
/// Tokens of one text; what is beyond is cut off.
const MAX_TOKENS: usize = 8192;
/// Texts and tokens of one call: the protocol allows 2,048 and 300,000.
const BATCH_TEXTS: usize = 256;
const BATCH_TOKENS: u64 = 100_000;
/// Least characters to which a text that is too long for the server is cut.
const LEAST_CHARS: usize = 64;

/// The keys of the vectors of `texts`.
pub(super) fn keys(model: &Model, texts: &[&str]) -> Vec<AnswerKey> {
    let model = model.identity();
    texts.iter().map(|text| AnswerKey::new([VERSION, &model, text])).collect()
}

pub(super) fn embed(
    client: &Client,
    task: Task,
    texts: &[&str],
    watch: &dyn Watch,
) -> Result<Vec<Option<Vec<f32>>>> {
    let keys = keys(task.model, texts);
    let mut vectors: Vec<Option<Vec<f32>>> =
        client.store().get(&keys)?.into_iter().map(vector).collect();
    let (sent, missing) = unasked(task.model, texts, &keys, &vectors);
    watch.advance((texts.len() - missing.len()) as u64);
    let limit = lock(&*client.lane(task.model)?).pacer.token_limit();
    let alone = client.may_be_batched(task.model, &sent)?;
    let mut batches = batches(&sent, &alone, limit);
    let jobs = batches.iter().enumerate().map(|(id, batch)| Job::new(id, question(&sent, batch)));
    let jobs = jobs.collect();
    let mut sent = sent;
    let mut got: Vec<Option<Vec<f32>>> = vec![None; sent.len()];
    let mut take = |id: usize, landing: Landing| {
        let Landing::Vectors(landing) = landing else { return Step::default() };
        let batch = batches[id].clone();
        match landing {
            Ok(found) => {
                let mut step = Step::default();
                let mut absent = Vec::new();
                for (&place, vector) in batch.iter().zip(found) {
                    let Some(vector) = vector else {
                        absent.push(place);
                        continue;
                    };
                    step.keep.push((keys[missing[place]], Kept::Vector(vector.clone())));
                    got[place] = Some(vector);
                    step.done += 1;
                }
                // A reply that lacks some is asked again for those alone; one that lacks all,
                // in halves, so that it comes to an end.
                if absent.len() < batch.len() {
                    step.again.extend(again(&mut batches, &sent, vec![absent]));
                } else {
                    step.again.extend(halves(&mut batches, &sent, &absent, watch));
                }
                step
            }
            Err(NoVectors::TooLong) if batch.len() == 1 => {
                let text = &mut sent[batch[0]];
                let chars = text.chars().count();
                if chars <= LEAST_CHARS {
                    return lost(&texts_start(text), "too long for the server", watch);
                }
                watch.say(&format!("cut to half for the server: {}", texts_start(text)));
                *text = text.chars().take(chars / 2).collect();
                Step { again: again(&mut batches, &sent, vec![batch]), ..Step::default() }
            }
            Err(NoVectors::Never(why)) if batch.len() == 1 => {
                lost(&texts_start(&sent[batch[0]]), &why, watch)
            }
            Err(_) => Step { again: halves(&mut batches, &sent, &batch, watch), ..Step::default() },
        }
    };
    client.drive(task, jobs, &mut take, watch)?;
    for (&row, vector) in missing.iter().zip(got) {
        vectors[row] = vector;
    }
    share_equal(texts, &mut vectors);
    Ok(vectors)
}

fn vector(kept: Option<Kept>) -> Option<Vec<f32>> {
    match kept {
        Some(Kept::Vector(vector)) => Some(vector),
        _ => None,
    }
}

/// The texts to send, each once and cut to the model's length, and the rows they stand for.
fn unasked(
    model: &Model,
    texts: &[&str],
    keys: &[AnswerKey],
    vectors: &[Option<Vec<f32>>],
) -> (Vec<String>, Vec<usize>) {
    let mut seen = std::collections::HashSet::new();
    let rows: Vec<usize> =
        (0..texts.len()).filter(|&i| vectors[i].is_none() && seen.insert(keys[i])).collect();
    let cut = |&row: &usize| tokens::truncate(&model.name, texts[row], MAX_TOKENS).into_owned();
    (rows.iter().map(cut).collect(), rows)
}

/// Places in `texts`, in order, cut where a batch is full, those that are to be `alone` each in a
/// batch of their own. No batch takes more than an eighth of what the account may use in a minute,
/// so that the limit is used evenly.
fn batches(texts: &[String], alone: &[bool], limit: Option<f64>) -> Vec<Vec<usize>> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a limit is positive"
    )]
    let most = limit.map_or(BATCH_TOKENS, |limit| ((limit / 8.0) as u64).clamp(1, BATCH_TOKENS));
    let all = 0..texts.len();
    let mut batches: Vec<Vec<usize>> = all.filter(|&i| alone[i]).map(|i| vec![i]).collect();
    let mut used = most;
    for (place, text) in texts.iter().enumerate().filter(|(place, _)| !alone[*place]) {
        // Bytes / 3 is on the safe side of every vocabulary.
        let cost = text.len() as u64 / 3 + 1;
        match batches.last_mut() {
            Some(batch) if used + cost <= most && batch.len() < BATCH_TEXTS => batch.push(place),
            _ => {
                batches.push(vec![place]);
                used = 0;
            }
        }
        used += cost;
    }
    batches
}

fn question(texts: &[String], batch: &[usize]) -> Question {
    Question::Texts(batch.iter().map(|&place| texts[place].clone()).collect())
}

fn again(batches: &mut Vec<Vec<usize>>, texts: &[String], new: Vec<Vec<usize>>) -> Vec<Job> {
    let mut jobs = Vec::new();
    for batch in new.into_iter().filter(|batch| !batch.is_empty()) {
        jobs.push(Job::new(batches.len(), question(texts, &batch)));
        batches.push(batch);
    }
    jobs
}

fn halves(
    batches: &mut Vec<Vec<usize>>,
    texts: &[String],
    batch: &[usize],
    watch: &dyn Watch,
) -> Vec<Job> {
    if batch.len() == 1 {
        watch.say(&format!("the server gives no vector for: {}", texts_start(&texts[batch[0]])));
        watch.advance(1);
        return Vec::new();
    }
    let (first, second) = batch.split_at(batch.len() / 2);
    again(batches, texts, vec![first.to_vec(), second.to_vec()])
}

fn lost(text: &str, why: &str, watch: &dyn Watch) -> Step {
    watch.say(&format!("no vector ({why}) for: {text}"));
    Step { done: 1, ..Step::default() }
}

/// Rows with the same text have the same vector.
fn share_equal(texts: &[&str], vectors: &mut [Option<Vec<f32>>]) {
    let mut of = std::collections::HashMap::new();
    for (row, text) in texts.iter().enumerate() {
        if vectors[row].is_some() {
            of.entry(*text).or_insert(row);
        }
    }
    for (row, text) in texts.iter().enumerate() {
        if vectors[row].is_none() {
            vectors[row] = of.get(text).and_then(|&other| vectors[other].clone());
        }
    }
}

/// Enough of a text to know it by.
fn texts_start(text: &str) -> String {
    let start: String = text.chars().take(60).collect();
    format!("`{}`", start.replace(char::is_control, " "))
}
