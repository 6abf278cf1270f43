//! A language model as interpreter: it is shown texts that fire a neuron and texts that do not,
//! and names the feature that tells them apart.

mod examples;

use hypothesaes_llm::ask::AnswerKey;
use hypothesaes_llm::question::{Prompt, Schema};
use hypothesaes_llm::reply;
use serde_json::{Value, json};

use super::sample::NeuronExamples;
use super::{Interpret, InterpretOptions, Interpretation, Mistakes};
use crate::Result;
use crate::annotate::first_words;
use crate::models::{Asked, Question, Template, ask};
use crate::watch::Watch;
use examples::{Shown, shown};

const INTERPRET: &str = include_str!("../prompts/interpret.txt");
const REFINE: &str = include_str!("../prompts/refine.txt");
/// What stands in for instructions of the user's.
const EXAMPLES: &str = "Features of other neurons were, for example: \"mentions a price in \
    dollars\", \"uses sarcasm\", \"asks a question\", \"praises the staff by name\".";
const STAGE: &str = "interpret";
/// Tokens of a wording, with the form around it.
const MAX_OUTPUT: u32 = 100;
/// A wording that is longer has missed the point.
const MAX_CHARS: usize = 400;
/// Texts get shorter and fewer so many times if a prompt is too long for the server.
const SIZES: u32 = 6;

/// Asks a language model.
pub struct ModelInterpreter<'a> {
    asked: Asked<'a>,
    options: InterpretOptions,
    interpret: Template,
    refine: Template,
    seed: u64,
}

/// # Errors
/// [`crate::Error::File`] or [`crate::Error::Input`] for a prompt of the user's that cannot be used.
pub(crate) fn check_prompts(options: &InterpretOptions) -> Result<()> {
    templates(options).map(drop)
}

/// The prompts that word a neuron, and that mend a wording.
fn templates(options: &InterpretOptions) -> Result<[Template; 2]> {
    let (first, second) = (options.prompt.as_deref(), options.refine_prompt.as_deref());
    Ok([
        Template::load(first, INTERPRET, &["positives", "negatives"])?,
        Template::load(second, REFINE, &["concept", "positives", "negatives"])?,
    ])
}

impl<'a> ModelInterpreter<'a> {
    /// # Errors
    /// [`crate::Error::File`] or [`crate::Error::Input`] for a prompt of the user's that cannot be
    /// used.
    pub(crate) fn new(asked: Asked<'a>, options: &InterpretOptions, seed: u64) -> Result<Self> {
        let [interpret, refine] = templates(options)?;
        Ok(Self { asked, options: options.clone(), interpret, refine, seed })
    }

    fn prompt(&self, template: &Template, concept: &str, shown: &Shown, size: u32) -> Prompt {
        let max_words = (self.options.max_words >> size).max(8);
        let listed = |texts: &[&str]| {
            let n = texts.len().min((texts.len() >> (size / 2)).max(2));
            let cut = texts[..n].iter().map(|text| first_words(text, max_words));
            cut.map(Value::from).collect::<Value>().to_string()
        };
        let context = match self.options.context.trim() {
            "" => String::new(),
            context => format!("The texts are: {context}\n"),
        };
        let instructions = match self.options.instructions.trim() {
            "" => EXAMPLES,
            instructions => instructions,
        };
        let (system, user) = template.fill(&[
            ("context", &context),
            ("instructions", instructions),
            ("concept", &Value::from(concept).to_string()),
            ("positives", &listed(&shown.positives)),
            ("negatives", &listed(&shown.negatives)),
        ]);
        let schema = json!({"type": "object", "properties": {"concept": {"type": "string"}},
            "required": ["concept"], "additionalProperties": false});
        let schema = Some(Schema { name: "feature".into(), schema });
        Prompt { system, user, schema, max_output: MAX_OUTPUT, logprobs: false }
    }

    /// `mark` tells apart questions that are asked on purpose with the same examples.
    fn question<'q>(
        &'q self,
        template: &'q Template,
        concept: &'q str,
        shown: Shown<'q>,
        mark: &str,
    ) -> Question<'q> {
        let whole = self.prompt(template, concept, &shown, 0);
        let model = self.asked.model.identity();
        let parts = ["interpretation 1", &model, mark, &whole.system, &whole.user];
        let failed = parts.into_iter().chain(["without"]);
        Question {
            key: AnswerKey::new(parts),
            failure_key: AnswerKey::new(failed),
            prompt: Box::new(move |size| {
                (size < SIZES).then(|| self.prompt(template, concept, &shown, size))
            }),
        }
    }
}

impl Interpret for ModelInterpreter<'_> {
    fn interpret(
        &self,
        neurons: &[NeuronExamples],
        watch: &dyn Watch,
    ) -> Result<Vec<Interpretation>> {
        let (mut questions, mut whose) = (Vec::new(), Vec::new());
        for (place, neuron) in neurons.iter().enumerate().filter(|(_, n)| n.n_firing > 0) {
            for candidate in 0..self.options.n_candidates {
                let shown = shown(neuron, &self.options, self.seed, candidate);
                let mark = format!("candidate {candidate}");
                questions.push(self.question(&self.interpret, "", shown, &mark));
                whose.push(place);
            }
        }
        let answers = ask(self.asked, STAGE, &questions, &wording, watch)?;
        let mut found: Vec<(Vec<String>, Option<String>)> = vec![(Vec::new(), None); neurons.len()];
        for (place, answer) in whose.into_iter().zip(answers) {
            let (concepts, failure) = &mut found[place];
            match answer {
                Ok(concept) if !concepts.contains(&concept) => concepts.push(concept),
                Ok(_) => {}
                Err(why) => *failure = Some(why),
            }
        }
        let one =
            |((concepts, why), neuron): ((Vec<String>, Option<String>), &NeuronExamples)| match (
                concepts.is_empty(),
                why,
            ) {
                (false, _) => Interpretation::Concepts(concepts),
                (true, Some(why)) => Interpretation::Unanswered(why),
                (true, None) if neuron.n_firing == 0 => {
                    Interpretation::Unlabelled("no discover text fires it".into())
                }
                (true, None) => Interpretation::Unlabelled("the model named no feature".into()),
            };
        Ok(found.into_iter().zip(neurons).map(one).collect())
    }

    fn mend(&self, mistakes: &[Mistakes], watch: &dyn Watch) -> Result<Vec<Option<String>>> {
        let mut questions: Vec<Question> = Vec::new();
        for m in mistakes {
            let shown = Shown { positives: m.missed.clone(), negatives: m.false_alarms.clone() };
            questions.push(self.question(&self.refine, m.concept, shown, "refine"));
        }
        let answers = ask(self.asked, STAGE, &questions, &wording, watch)?;
        Ok(answers.into_iter().map(Result::ok).collect())
    }

    fn prompts(&self) -> Vec<(&'static str, String)> {
        vec![("interpret", self.interpret.text()), ("refine", self.refine.text())]
    }
}

/// The wording in an answer.
fn wording(answer: &str) -> Option<String> {
    let mut wordings = reply::wordings(answer, 1);
    let wording = wordings.pop()?;
    let bare = wording.trim_end_matches('.').trim();
    (!bare.is_empty() && bare.chars().count() <= MAX_CHARS).then(|| bare.to_owned())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use hypothesaes_llm::ask::{Ask, Call, Next, Outcome, Task, Watch as AskWatch};
    use hypothesaes_llm::server::{Effort, Model, Server};
    use serde_json::Map;

    use super::*;

    /// Is never asked.
    struct Nobody;

    impl Ask for Nobody {
        fn ask(
            &self,
            _: Task,
            _: Vec<Call>,
            _: &mut dyn FnMut(usize, Outcome) -> Next,
            _: &dyn AskWatch,
        ) -> hypothesaes_llm::Result<()> {
            unreachable!("only prompts are made")
        }

        fn kept(&self, keys: &[AnswerKey]) -> hypothesaes_llm::Result<Vec<Option<String>>> {
            Ok(vec![None; keys.len()])
        }

        fn is_frozen(&self) -> bool {
            false
        }
    }

    /// The prompt for two texts of 30 words, at a size.
    fn prompt(options: &InterpretOptions, size: u32) -> Prompt {
        let server = Server::new("http://localhost:1", None).unwrap();
        let model = Model {
            server,
            name: "m".into(),
            effort: Effort::Default,
            temperature: None,
            dimensions: None,
            extra: Map::new(),
        };
        let asked = Asked { ask: &Nobody, model: &model };
        let interpreter = ModelInterpreter::new(asked, options, 1).unwrap();
        let text = "fires {negatives} ".repeat(15);
        let shown = Shown { positives: vec![&text], negatives: vec!["silent"] };
        interpreter.prompt(&interpreter.interpret, "", &shown, size)
    }

    #[test]
    fn trap_15_without_instructions_the_prompt_has_the_generic_examples() {
        let bare = prompt(&InterpretOptions::default(), 0);
        assert!(bare.system.contains("for example") && bare.system.contains("{\"concept\": "));
        assert!(!bare.system.contains("None") && !bare.system.contains("{instructions}"));
        let options = InterpretOptions {
            context: "Reviews of hotels".into(),
            instructions: "Heed the tone.".into(),
            ..InterpretOptions::default()
        };
        let told = prompt(&options, 0);
        assert!(
            told.system.contains("Heed the tone.") && told.system.contains("Reviews of hotels")
        );
        assert!(!told.system.contains("for example"));
    }

    #[test]
    fn a_prompt_is_exact_json_and_gets_smaller() {
        let options = InterpretOptions { max_words: 16, ..InterpretOptions::default() };
        let words = |size: u32| {
            let user: Value = serde_json::from_str(&prompt(&options, size).user).unwrap();
            assert_eq!(user["negative_texts"], json!(["silent"]));
            user["positive_texts"][0].as_str().unwrap().split(' ').count()
        };
        assert_eq!((words(0), words(1)), (16, 8));
    }

    #[test]
    fn a_prompt_of_the_users_needs_its_placeholders() {
        let folder = tempfile::tempdir().unwrap();
        let file: PathBuf = folder.path().join("own.txt");
        std::fs::write(&file, "Only {positives}.").unwrap();
        let template = Template::load(Some(&file), INTERPRET, &["positives", "negatives"]);
        assert!(template.unwrap_err().to_string().contains("{negatives}"));
    }

    #[test]
    fn trap_22_an_empty_or_endless_answer_is_no_wording() {
        assert_eq!(wording(r#"{"concept": "names a dish."}"#).as_deref(), Some("names a dish"));
        for answer in ["", "{\"concept\": \"\"}", "{\"concept\": \".\"}", &"word ".repeat(200)] {
            assert_eq!(wording(answer), None, "{answer}");
        }
    }
}
