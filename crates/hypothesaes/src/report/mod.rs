//! `report.html`: one file that answers, shows and convinces, without a program to open it with.
//!
//! In go the results of a run, its charts and pictures, and the held-out texts; out comes a page that
//! reads completely without scripts and becomes interactive with them. Whatever is shown is escaped by
//! the template; the page's own policy forbids it to fetch anything.

mod app;
mod context;
mod evidence;
mod options;
mod provenance;
#[cfg(test)]
mod tests;
mod texts;

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment};
use serde_json::json;

pub use options::ReportOptions;
pub use provenance::Provenance;

use crate::charts::{Chart, Results, Shown};
use crate::interpret::Labelled;
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
    pub shown: Shown<'a>,
    /// What the held-out texts are annotated with, in the order of the annotations.
    pub concepts: &'a [String],
    /// The neurons that were put into words.
    pub labelled: &'a [Labelled],
    pub language: Language,
    pub provenance: &'a Provenance,
}

/// A page, and what was left out of it so that it is no larger than it may be.
#[derive(Debug)]
pub struct Page {
    pub html: String,
    pub left_out: Option<String>,
}

/// How much of what could be shown is.
#[derive(Debug, Clone, Copy)]
struct Extent {
    /// Texts of each kind on a card.
    texts: usize,
    /// Beginnings of the texts on the map.
    has_snippets: bool,
    /// Charts on the cards.
    has_card_charts: bool,
    /// Scripts, by which charts and tables become interactive.
    is_live: bool,
    /// Bytes of a picture, at most.
    picture: usize,
    /// Hypotheses with a card, at most.
    cards: usize,
    /// Rows of a table and of a list, at most.
    rows: usize,
    /// What the page says of that.
    left_out: Option<&'static str>,
}

const WHOLE: Extent = Extent {
    texts: 3,
    has_snippets: true,
    has_card_charts: true,
    is_live: true,
    picture: usize::MAX,
    cards: usize::MAX,
    rows: usize::MAX,
    left_out: None,
};

/// For hundreds of hypotheses.
const FEWER: Extent = Extent {
    texts: 1,
    has_snippets: false,
    has_card_charts: false,
    picture: 300_000,
    cards: 200,
    left_out: Some(
        "cards after the first 200, the charts on the others, all but one text of each kind, and the \
         largest pictures; `plots` has the charts",
    ),
    ..WHOLE
};

/// Ever less, until the page is no larger than it may be.
const EXTENTS: [Extent; 8] = [
    WHOLE,
    Extent { has_snippets: false, left_out: Some("the texts on the map"), ..WHOLE },
    Extent {
        texts: 1,
        has_snippets: false,
        left_out: Some("the texts on the map, and of each kind on a card all but one"),
        ..WHOLE
    },
    Extent {
        texts: 1,
        has_snippets: false,
        has_card_charts: false,
        left_out: Some(
            "the texts on the map, of each kind on a card all but one, and the charts on the cards, \
             which are in `plots`",
        ),
        ..WHOLE
    },
    FEWER,
    Extent {
        texts: 0,
        left_out: Some(
            "all texts, which are in `data`, cards after the first 200, the charts on the others and the \
             largest pictures, which are in `plots`",
        ),
        ..FEWER
    },
    Extent {
        texts: 0,
        is_live: false,
        picture: 100_000,
        left_out: Some(
            "all texts, which are in `data`, cards after the first 200, the charts on the others and large \
             pictures, which are in `plots`, and whatever is interactive",
        ),
        ..FEWER
    },
    Extent {
        texts: 0,
        is_live: false,
        picture: 0,
        cards: 20,
        rows: 100,
        left_out: Some(
            "all texts, which are in `data`, all pictures, which are in `plots`, whatever is \
             interactive, cards after the first 20, and rows after the first 100 of a table, which is \
             whole in `tables`",
        ),
        ..FEWER
    },
];

/// The report of a run.
///
/// # Errors
/// [`Error::Data`] if the template is broken, which no data make it.
pub fn page(material: &Material, options: &ReportOptions) -> Result<Page> {
    let is_small = |html: &str| html.len() as f64 <= options.max_mb * 1e6;
    let mut smallest = WHOLE;
    for mut extent in EXTENTS {
        if !options.texts {
            (extent.texts, extent.has_snippets) = (0, false);
        }
        let html = written(material, &extent, extent.left_out)?;
        if is_small(&html) {
            return Ok(Page { html, left_out: extent.left_out.map(str::to_owned) });
        }
        smallest = extent;
    }
    let left_out = format!(
        "{}; the page is larger than {} MB all the same, as the rest has to be there",
        smallest.left_out.unwrap_or_default(),
        options.max_mb
    );
    Ok(Page { html: written(material, &smallest, Some(&left_out))?, left_out: Some(left_out) })
}

fn written(material: &Material, extent: &Extent, left_out: Option<&str>) -> Result<String> {
    let broken = |e: minijinja::Error| Error::Data(format!("the report's template: {e}"));
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.add_template("page", TEMPLATE).map_err(broken)?;
    let context = context::of(material, extent, left_out);
    let app = if extent.is_live { Some(app::app(material, extent)?) } else { None };
    let policy = app::policy(app.as_ref());
    let whole = json!({"style": STYLE, "policy": policy, "app": app, "of": context});
    environment.get_template("page").and_then(|page| page.render(Serde(&whole))).map_err(broken)
}
