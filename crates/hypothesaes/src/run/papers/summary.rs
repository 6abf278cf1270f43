//! `summary.md`: the answer first, then what it rests on.

use std::fmt::Write;

use hypothesaes_math::Estimate;

use crate::annotate::{MEANING, PHRASES};
use crate::data::Task;
use crate::evaluate::{Effect, FitKind, Model, Predictors, Status, Together};
use crate::export::escaped;
use crate::run::outcome::{Hypothesis, Outcome, TestSummary};

/// The run as Markdown. Wordings are escaped, so that none of them changes the layout.
pub(in crate::run) fn summary(outcome: &Outcome) -> String {
    let mut text = String::from("# What goes with the target\n\n");
    for part in [answer, trust, holding, others, unlabelled, how_to_read, basis, limits] {
        let part = part(outcome);
        if !part.is_empty() {
            let _ = writeln!(text, "{}\n", part.trim_end());
        }
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

fn answer(outcome: &Outcome) -> String {
    let Some(test) = &outcome.test else { return String::new() };
    let target = outcome.data.as_ref().map_or("the target", |d| d.target.as_str());
    let mut text = format!(
        "**{} of {} hypotheses about `{}` hold** on {} held-out {} (Holm-adjusted p < {})",
        test.n_hold,
        test.n_hypotheses,
        code(target),
        test.n,
        if test.is_paired { "pairs" } else { "texts" },
        test.alpha
    );
    if test.n_hold > 0 {
        let _ = write!(text, ", {} of them beside all others too", test.n_hold_jointly);
    }
    text.push('.');
    for fit in test.models.iter().filter(|fit| fit.is_main()) {
        let _ = write!(text, " {}", together(fit));
    }
    text
}

/// What speaks for the answer and against it.
fn trust(outcome: &Outcome) -> String {
    let Some(test) = &outcome.test else { return String::new() };
    let mut lines: Vec<String> = lost(test).into_iter().collect();
    if let Some(placebo) = &test.placebo {
        let (tested, hold, _) = placebo.totals();
        lines.push(format!(
            "On {} shuffled targets, where there is nothing, {hold} of {tested} neurons hold.",
            placebo.runs.len()
        ));
    }
    lines.extend(test.leakage.message().map(|message| format!("Leakage: {}.", escaped(&message))));
    let kappas = test.gold.iter().flat_map(|g| &g.hypotheses);
    let kappas: Vec<f64> = kappas.filter_map(|h| h.kappa).map(|k| k.value).collect();
    if let (Some(least), Some(most)) =
        (kappas.iter().copied().reduce(f64::min), kappas.iter().copied().reduce(f64::max))
    {
        lines.push(format!(
            "Against annotations by hand kappa is {least:.2} to {most:.2}; corrected effects are in \
             `tables/gold.csv`."
        ));
    }
    lines.join(" ")
}

/// Where predictive power is lost between the embeddings and the hypotheses.
fn lost(test: &TestSummary) -> Option<String> {
    let main = |m: &&Together| m.fit == FitKind::CrossFitted && m.class.is_none();
    let first = test.models.iter().find(main)?.metric;
    let value = |predictors: Predictors| {
        let of = test.models.iter().filter(main);
        let of = of.filter(|m| m.predictors == predictors && m.metric == first);
        of.filter_map(|m| m.measure).map(|m| m.value).next()
    };
    let (wordings, neurons) = (value(Predictors::Hypotheses)?, value(Predictors::Neurons)?);
    let embeddings = value(Predictors::Embeddings)?;
    let (by_wording, by_choice) = (neurons - wordings, embeddings - neurons);
    let most = if by_wording <= 0.0 && by_choice <= 0.0 {
        "nothing is lost on the way"
    } else if by_wording > by_choice {
        "most is lost in wording and annotating the neurons"
    } else {
        "most is lost in the neurons that were not chosen"
    };
    Some(format!(
        "{}, cross-fitted: {embeddings:.2} from all of the embeddings, {neurons:.2} from the chosen \
         neurons, {wordings:.2} from their wordings: {most}.",
        first.title()
    ))
}

fn together(fit: &Together) -> String {
    let metric = fit.metric.title();
    let Some(m) = fit.measure else { return format!("{metric} could not be computed.") };
    let interval = match (m.conf_low, m.conf_high) {
        (Some(low), Some(high)) => format!(" [{low:.3}, {high:.3}]"),
        _ => String::new(),
    };
    let class = fit.class.as_ref().map_or_else(String::new, |c| format!(", class `{}`", code(c)));
    match fit.fit {
        FitKind::CrossFitted => {
            format!("Together, cross-fitted{class}: {metric} = {:.3}{interval}.", m.value)
        }
        FitKind::InSample => {
            format!("On the fitted texts themselves{class}: {metric} = {:.3}.", m.value)
        }
    }
}

fn holding(outcome: &Outcome) -> String {
    table("## Hold", outcome, |h| h.tested.status == Status::Holds)
}

fn others(outcome: &Outcome) -> String {
    table("## Do not hold, or could not be tested", outcome, |h| h.tested.status != Status::Holds)
}

fn table(title: &str, outcome: &Outcome, keep: impl Fn(&Hypothesis) -> bool) -> String {
    let rows: Vec<&Hypothesis> =
        outcome.strongest_first().into_iter().filter(|h| keep(h)).collect();
    if rows.is_empty() {
        return String::new();
    }
    let mut text = format!(
        "{title}\n\n| | the text … | with − without | p (Holm) | effect beside the others | p (Holm) \
         | prevalence | fidelity (F1) |\n|---|---|---|---|---|---|---|---|\n"
    );
    for h in rows {
        let _ = writeln!(text, "{}", row(h));
    }
    text
}

fn row(h: &Hypothesis) -> String {
    let t = &h.tested;
    let unfitted = || t.warning.clone().unwrap_or_default();
    format!(
        "| {} | {}{} | {} | {} | {} | {} | {} | {} |",
        t.id,
        escaped(&h.hypothesis),
        t.class.as_ref().map_or_else(String::new, |class| format!(" ({})", escaped(class))),
        t.claim().map_or_else(String::new, with_interval),
        holm(t.claim()),
        t.joint.as_ref().map_or_else(unfitted, with_interval),
        holm(t.joint.as_ref()),
        t.prevalence.map_or_else(String::new, |p| format!("{:.0} %", 100.0 * p)),
        h.fidelity.and_then(|f| f.f1).map_or_else(String::new, |f1| format!("{f1:.2}")),
    )
}

fn with_interval(effect: &Effect) -> String {
    let Estimate { value, conf_low, conf_high, .. } = effect.estimate;
    match (conf_low, conf_high) {
        (Some(low), Some(high)) => format!("{value:+.2} [{low:+.2}, {high:+.2}]"),
        _ => format!("{value:+.2}"),
    }
}

fn holm(effect: Option<&Effect>) -> String {
    match effect.and_then(|e| e.p_holm) {
        None => String::new(),
        Some(p) if p < 0.001 => "< 0.001".into(),
        Some(p) => format!("{p:.3}"),
    }
}

fn unlabelled(outcome: &Outcome) -> String {
    let mut text = String::new();
    for neuron in &outcome.unlabelled {
        let reason = neuron.reason.as_deref().unwrap_or("no reason given");
        let _ = writeln!(text, "- neuron {}: {}", neuron.neuron_id, escaped(reason));
    }
    if text.is_empty() { text } else { format!("## Selected neurons without a label\n\n{text}") }
}

fn how_to_read(outcome: &Outcome) -> String {
    let (Some(test), Some(data)) = (&outcome.test, &outcome.data) else { return String::new() };
    let unit = match (test.model, &data.task) {
        (Model::Logit, Task::Binary { positive, .. }) => {
            format!("log-odds of `{}`, with − without in its share", code(positive))
        }
        _ => format!("unit of `{}`", code(&data.target)),
    };
    let held = if outcome.hypotheses.iter().any(|h| h.tested.adjusted.is_some()) {
        "the controls held equal"
    } else {
        "nothing else held equal"
    };
    format!(
        "## How to read it\n\n\
         A hypothesis goes with the target; it need not be its cause. *With − without* compares the \
         texts that have the concept with those that do not, {held}: a hypothesis holds if this \
         difference does. The effect beside the others comes from one regression on \
         all hypotheses together ({unit}), with HC3 standard errors unless `tables/hypotheses.csv` \
         says otherwise; hypotheses that are true of the same texts share it, so that several which \
         hold can all be uncertain there. Intervals cover 95 % unless `evaluate.conf_level` says \
         otherwise. Hypotheses were found on other texts than they are tested on. Fidelity says how \
         well the \
         wording matches the neuron it was made for, on validation texts."
    )
}

fn basis(outcome: &Outcome) -> String {
    let mut text = String::from("## What it rests on\n\n");
    for note in outcome.data.iter().flat_map(|d| &d.notes) {
        let _ = writeln!(text, "- {}", escaped(note));
    }
    if let Some(signal) = &outcome.signal {
        let _ = writeln!(text, "- {signal}");
    }
    for sae in &outcome.saes {
        let _ = writeln!(
            text,
            "- autoencoder {}: {} of {} neurons alive, {:.0} % of the variance of the discover \
             texts explained",
            sae.id,
            sae.quality.n_alive,
            sae.n_neurons,
            100.0 * (1.0 - sae.quality.fvu_discover)
        );
    }
    for message in &outcome.messages {
        let _ = writeln!(text, "- {}", escaped(message));
    }
    text
}

fn limits(outcome: &Outcome) -> String {
    let groups = match outcome.test.as_ref().and_then(|test| test.n_groups) {
        Some(n) => format!("Texts of one group count as one cluster, of which there are {n}."),
        None => "Texts of one author or document count as independent here: a group column says \
                 which belong together."
            .into(),
    };
    format!("## Limits\n\n{}{groups}", embedded(outcome))
}

/// What the embedded annotators cannot tell, if they said which concepts are true of a text.
fn embedded(outcome: &Outcome) -> String {
    match outcome.annotator.as_str() {
        PHRASES => {
            "Which concepts are true of a text was said by the words that it has, not by what it \
             means: `mentions \"wait\"` is true of \"no wait at all\" as well. "
        }
        MEANING => {
            "Which texts are close in meaning to the phrases of a concept was judged by the vectors of \
             a sentence model. The number behind the phrases is the least mean cosine, as found on the \
             discover texts; what texts mean beside it, such as praise or blame, is in it as well. "
        }
        _ => "",
    }
    .into()
}

/// For Markdown code.
fn code(text: &str) -> String {
    text.chars().map(|c| if c == '`' || c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wordings_do_not_change_the_layout() {
        assert_eq!(
            escaped("mentions \"a|b\" <script>\n*"),
            "mentions \"a\\|b\" &lt;script&gt; \\*"
        );
        assert_eq!(code("a`b\nc"), "a b c");
    }
}
