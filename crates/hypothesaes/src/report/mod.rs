//! `report.html`: one file that answers, shows and convinces, without a program to open it with.
//!
//! In go the results of a run, its charts and pictures, and the held-out texts; out comes a page that
//! reads completely without scripts and becomes interactive with them. Whatever is shown is escaped by
//! the template; the page's own policy forbids it to fetch anything.

mod app;
mod context;
mod evidence;
mod options;
#[cfg(test)]
mod tests;
mod texts;

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment};
use serde_json::json;

pub use options::ReportOptions;

use crate::annotate::Annotations;
use crate::charts::{Chart, Results};
use crate::data::Dataset;
use crate::text::Language;
use crate::{Error, Result};

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");

/// What the page is made of.
#[derive(Clone, Copy)]
pub struct Material<'a> {
    pub results: Results<'a>,
    /// The charts, and the SVG of each that could be drawn.
    pub charts: &'a [(Chart, Option<String>)],
    pub data: &'a Dataset,
    /// What the held-out texts are annotated with, in the order of the annotations.
    pub concepts: &'a [String],
    pub annotations: &'a Annotations,
    /// Activations of all texts, if neurons were looked for.
    pub z: Option<&'a hypothesaes_math::Activations>,
    pub language: Language,
    /// The options file of the run.
    pub options: &'a str,
    pub seed: u64,
}

/// A page, and what was left out of it so that it is no larger than it may be.
#[derive(Debug)]
pub struct Page {
    pub html: String,
    pub left_out: Option<&'static str>,
}

/// Texts of each kind on a card, the fewer the larger the page would be.
const TEXTS: [(usize, Option<&str>); 4] = [
    (3, None),
    (1, Some("of each kind only one text is shown, so that the page stays small")),
    (0, Some("no texts are shown, so that the page stays small; `data` has them")),
    (0, Some("texts and interactive charts are left out, so that the page stays small")),
];

/// The report of a run.
///
/// # Errors
/// [`Error::Data`] if the template is broken, which no data make it.
pub fn page(material: &Material, options: &ReportOptions) -> Result<Page> {
    let most = (options.max_mb * 1e6).max(0.0);
    let mut smallest = None;
    for (step, (n_texts, left_out)) in TEXTS.into_iter().enumerate() {
        let n_texts = if options.texts { n_texts } else { 0 };
        let is_live = step + 1 < TEXTS.len();
        let html = written(material, n_texts, is_live, left_out)?;
        if html.len() as f64 <= most {
            return Ok(Page { html, left_out });
        }
        smallest = Some(Page { html, left_out });
    }
    Ok(smallest.expect("there are steps"))
}

fn written(
    material: &Material,
    n_texts: usize,
    is_live: bool,
    left_out: Option<&str>,
) -> Result<String> {
    let broken = |e: minijinja::Error| Error::Data(format!("the report's template: {e}"));
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.add_template("page", TEMPLATE).map_err(broken)?;
    let context = context::of(material, n_texts, left_out);
    let app = if is_live { Some(app::app(material)?) } else { None };
    let policy = app::policy(app.as_ref());
    let whole = json!({"style": STYLE, "policy": policy, "app": app, "of": context});
    environment.get_template("page").and_then(|page| page.render(Serde(&whole))).map_err(broken)
}
