//! Questions in the asker's own words.

use hypothesaes_llm::ask::{AnswerKey, Ask};
use hypothesaes_llm::question::Prompt;
use hypothesaes_llm::server::Model;

use super::{Asked, Question, ask};
use crate::Result;
use crate::watch::Watch;

/// A question in the asker's own words.
#[derive(Debug, Clone, PartialEq)]
pub struct Completion {
    pub prompt: Prompt,
    /// What the answer is kept under, beside prompt and model: what tells it from other answers to
    /// the same question.
    pub key: Vec<String>,
}

/// The answer to each question, never empty, or why there is none. Those that are kept are not
/// asked for again.
///
/// # Errors
/// [`crate::Error::Llm`] if `model` cannot be asked on; [`crate::Error::Interrupted`]. Answers that
/// arrived are kept.
pub fn complete(
    client: &dyn Ask,
    model: &Model,
    stage: &'static str,
    completions: &[Completion],
    watch: &dyn Watch,
) -> Result<Vec<Result<String, String>>> {
    watch.begin(stage, completions.len() as u64, "answers");
    let identity = model.identity();
    let question = |completion| question(completion, &identity);
    let questions: Vec<Question> = completions.iter().map(question).collect();
    let read = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let answers = ask(Asked { ask: client, model }, stage, &questions, &read, watch)?;
    let missing = answers.iter().filter(|answer| answer.is_err()).count();
    let lacking = if missing > 0 { format!(", {missing} missing") } else { String::new() };
    watch.end(&format!("{} answers{lacking}", answers.len() - missing));
    Ok(answers)
}

/// The answers to these questions that are kept; nothing is asked.
///
/// # Errors
/// [`crate::Error::Llm`] if they cannot be read.
pub fn completed(
    client: &dyn Ask,
    model: &Model,
    completions: &[Completion],
) -> Result<Vec<Option<String>>> {
    let identity = model.identity();
    let keys: Vec<AnswerKey> = completions.iter().map(|c| question(c, &identity).key).collect();
    Ok(client.kept(&keys)?)
}

fn question<'q>(completion: &'q Completion, identity: &str) -> Question<'q> {
    let Completion { prompt, key } = completion;
    let named = |kind: &str| {
        let cap = prompt.max_output.to_string();
        let parts = [kind, identity, &prompt.system, &prompt.user, &cap];
        AnswerKey::new(parts.into_iter().chain(key.iter().map(String::as_str)))
    };
    Question {
        key: named("completion"),
        failure_key: named("completion failed"),
        // The words are the asker's: there is no smaller form of them.
        prompt: Box::new(move |size| (size == 0).then(|| prompt.clone())),
    }
}
