//! Questions with one answer each, kept and asked once.

use hypothesaes_llm::ask::{AnswerKey, Call, Next, Outcome, Task};
use hypothesaes_llm::question::Prompt;

use super::{Asked, Asking};
use crate::Result;
use crate::watch::Watch;

/// Times that a question is asked whose answer cannot be read.
const TRIES: u8 = 3;

/// One question.
pub(crate) struct Question<'q> {
    /// Everything that determines the answer.
    pub key: AnswerKey,
    /// Under which it is kept that there is none, for replays.
    pub failure_key: AnswerKey,
    /// The prompt, smaller with every step; `None` if it cannot be smaller.
    pub prompt: Box<dyn Fn(u32) -> Option<Prompt> + 'q>,
}

/// The answer to each question as `read` understands it, or why there is none.
///
/// # Errors
/// Whatever keeps the client from asking; that a frozen run lacks answers.
pub(crate) fn ask(
    asked: Asked,
    stage: &'static str,
    questions: &[Question],
    read: &dyn Fn(&str) -> Option<String>,
    watch: &dyn Watch,
) -> Result<Vec<Result<String, String>>> {
    let keys: Vec<AnswerKey> = questions.iter().map(|q| q.key).collect();
    let mut answers: Vec<Option<Result<String, String>>> =
        asked.ask.kept(&keys)?.into_iter().map(|kept| kept.map(Ok)).collect();
    watch.advance(answers.iter().flatten().count() as u64);
    if asked.ask.is_frozen() {
        return replay(asked, questions, answers);
    }
    let first = |id: usize| {
        let prompt = (questions[id].prompt)(0)?;
        Some(Call { id, prompt })
    };
    let open = (0..questions.len()).filter(|&id| answers[id].is_none());
    let calls: Vec<Call> = open.filter_map(first).collect();
    let mut tries = vec![0; questions.len()];
    let mut sizes = vec![0; questions.len()];
    let mut take = |id: usize, outcome: Outcome| {
        let question = &questions[id];
        let answer = match &outcome {
            Outcome::Answer(answer) | Outcome::Cut(answer) => read(&answer.text),
            Outcome::TooLong(_) | Outcome::Never(_) => None,
        };
        if let Some(answer) = answer {
            let keep = vec![(question.key, answer.clone())];
            answers[id] = Some(Ok(answer));
            return Next { keep, done: 1, ..Next::default() };
        }
        tries[id] += 1;
        let (again, why) = match outcome {
            Outcome::Answer(_) | Outcome::Cut(_) => {
                (tries[id] < TRIES, "the answers hold nothing that can be used".to_owned())
            }
            Outcome::TooLong(why) => {
                sizes[id] += 1;
                (true, why)
            }
            // A filter may let the question pass with less of the texts.
            Outcome::Never(why) => {
                sizes[id] += 1;
                (tries[id] < TRIES, why)
            }
        };
        let prompt = if again { (question.prompt)(sizes[id]) } else { None };
        if let Some(prompt) = prompt {
            return Next { again: vec![Call { id, prompt }], ..Next::default() };
        }
        let keep = vec![(question.failure_key, why.clone())];
        answers[id] = Some(Err(why));
        Next { keep, done: 1, ..Next::default() }
    };
    let task = Task { stage, model: asked.model };
    asked.ask.ask(task, calls, &mut take, &Asking(watch))?;
    let unasked = || Err("there was nothing to ask".to_owned());
    Ok(answers.into_iter().map(|answer| answer.unwrap_or_else(unasked)).collect())
}

fn replay(
    asked: Asked,
    questions: &[Question],
    answers: Vec<Option<Result<String, String>>>,
) -> Result<Vec<Result<String, String>>> {
    let keys: Vec<AnswerKey> = questions.iter().map(|q| q.failure_key).collect();
    let failures = asked.ask.kept(&keys)?;
    let all: Vec<Option<Result<String, String>>> =
        answers.into_iter().zip(failures).map(|(a, why)| a.or_else(|| why.map(Err))).collect();
    let missing = all.iter().filter(|answer| answer.is_none()).count();
    if missing > 0 {
        return Err(hypothesaes_llm::Error::Frozen { missing }.into());
    }
    Ok(all.into_iter().flatten().collect())
}
