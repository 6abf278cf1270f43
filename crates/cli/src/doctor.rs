//! `hypothesaes doctor`: a few tiny calls that show whether a run would work.

use std::fmt::Write as _;

use anyhow::Result;
use hypothesaes::Error;
use hypothesaes::models::{Manner, Models, Use};
use hypothesaes_llm::ask::{Ask, Call, Next, Outcome, State, Task, Watch};
use hypothesaes_llm::limits::{Known, What};
use hypothesaes_llm::question::{Prompt, Schema};
use hypothesaes_llm::reply;
use hypothesaes_llm::server::Model;
use hypothesaes_llm::store::Store;
use serde_json::json;

use crate::args::DoctorArgs;
use crate::exit::Usage;
use crate::models::{address, answers, key};
use crate::show::{grouped, print};
use crate::{choose, interrupt};

const STAGE: &str = "doctor";

/// Tries every model that a run would ask.
pub fn doctor(args: &DoctorArgs) -> Result<()> {
    let mut options = choose::for_doctor(args)?;
    address(&mut options);
    options.settle(true);
    let mut text = String::new();
    let path = answers()?;
    let (store, note) = Store::open(&path).map_err(Error::from)?;
    let _ = writeln!(text, "answers    kept in {}", path.display());
    if let Some(note) = note {
        let _ = writeln!(text, "           {note}");
    }
    let models = Models::new(&options, store, Manner::default(), &key)?;
    let mut failed = 0;
    for of in Use::ALL {
        let Some(model) = models.of(of) else {
            let _ = writeln!(text, "{:<11}is done on this computer", of.name());
            continue;
        };
        let key = if model.server.key().is_some() { "with a key" } else { "without a key" };
        let (name, server) = (&model.name, model.server.base());
        let _ = writeln!(text, "{:<11}{name} at {server}, {key}", of.name());
        let found = match of {
            Use::Embed => embeds(&models, model),
            Use::Interpret | Use::Annotate => answers_in_form(&models, model),
        };
        let found = found.and_then(|found| Ok((found, models.client().limits(model)?)));
        match found {
            Ok((found, limits)) => {
                let _ = writeln!(text, "           works: {found}");
                let _ = writeln!(text, "           limits: {}", told(&limits));
                match models.client().prices().of(name) {
                    Some(price) => {
                        let (input, output) = (price.input, price.output);
                        let _ = writeln!(
                            text,
                            "           price: ${input} in, ${output} out per million tokens"
                        );
                    }
                    None => text += "           price: unknown (`llm.prices` can name it)\n",
                }
            }
            Err(hypothesaes_llm::Error::Interrupted) => return Err(Error::Interrupted.into()),
            Err(error) => {
                failed += 1;
                let _ = writeln!(text, "           FAILS: {error}");
            }
        }
    }
    print(&text)?;
    if failed == 0 {
        return Ok(());
    }
    let message = format!("{failed} of the models cannot be used");
    let hint = "check OPENAI_API_KEY, OPENAI_BASE_URL and the names of the models; \
                `--local` does without"
        .into();
    Err(Usage { message, hint }.into())
}

fn embeds(models: &Models, model: &Model) -> hypothesaes_llm::Result<String> {
    let task = Task { stage: STAGE, model };
    let vectors = models.client().embed(task, &["The soup was cold."], &Tried)?;
    Ok(match vectors.first().and_then(Option::as_ref) {
        Some(vector) => format!("vectors of {} entries", vector.len()),
        None => "answers, but gives no vector".into(),
    })
}

fn answers_in_form(models: &Models, model: &Model) -> hypothesaes_llm::Result<String> {
    let schema = json!({"type": "object", "properties": {"1": {"type": "boolean"}},
        "required": ["1"], "additionalProperties": false});
    let prompt = Prompt {
        system: "Decide whether the concept is true of the text. Reply with one JSON object such \
                 as {\"1\": true}."
            .into(),
        user: json!({"concepts": [{"id": 1, "concept": "mentions soup"}],
            "text": "The soup was cold."})
        .to_string(),
        schema: Some(Schema { name: "verdicts".into(), schema }),
        max_output: 32,
        logprobs: false,
    };
    let mut found = String::from("no answer came");
    let mut take = |_: usize, outcome: Outcome| {
        found = match outcome {
            Outcome::Answer(answer) if reply::verdicts(&answer.text).contains_key(&1) => {
                "answers in the form asked for".into()
            }
            Outcome::Answer(_) | Outcome::Cut(_) => {
                "answers, but in a form that cannot be read: try another model".into()
            }
            Outcome::TooLong(why) | Outcome::Never(why) => format!("no answer: {why}"),
        };
        Next::default()
    };
    let task = Task { stage: STAGE, model };
    models.client().ask(task, vec![Call { id: 0, prompt }], &mut take, &Tried)?;
    Ok(format!("{found} ({})", models.client().face(model)?))
}

fn told(limits: &[Known]) -> String {
    if limits.is_empty() {
        return "the server tells none; they are learnt from refusals".into();
    }
    let one = |known: &Known| {
        let what = match known.what {
            What::Requests => "requests",
            What::Tokens => "tokens",
        };
        let window = match known.window_seconds {
            seconds if (59.0..61.0).contains(&seconds) => "minute".into(),
            seconds if (86_000.0..87_000.0).contains(&seconds) => "day".into(),
            seconds => format!("{seconds:.0} s"),
        };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a limit")]
        let limit = grouped(known.limit as u64);
        format!("{limit} {what} a {window}")
    };
    limits.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Ctrl-C is heard, the rest is not told.
struct Tried;

impl Watch for Tried {
    fn advance(&self, _: u64) {}
    fn state(&self, _: &State) {}
    fn say(&self, _: &str) {}
    fn interrupted(&self) -> bool {
        interrupt::asked()
    }
}
