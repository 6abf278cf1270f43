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
    pub left_out: Option<&'static str>,
}

/// How much of what could be shown is.
#[derive(Debug, Clone, Copy)]
struct Extent {
    /// Texts of each kind on a card.
    texts: usize,
    /// Beginnings of the texts on the map.
    has_snippets: bool,
    /// Charts on the cards.
    has_pictures: bool,
    /// Scripts, by which charts and tables become interactive.
    is_live: bool,
    /// Hypotheses with a card, at most.
    cards: usize,
    /// What the page says of that.
    left_out: Option<&'static str>,
}

const WHOLE: Extent = Extent {
    texts: 3,
    has_snippets: true,
    has_pictures: true,
    is_live: true,
    cards: usize::MAX,
    left_out: None,
};

/// Ever less, until the page is no larger than it may be.
const EXTENTS: [Extent; 6] = [
    WHOLE,
    Extent {
        has_snippets: false,
        left_out: Some("the map has no texts, so that the page stays small"),
        ..WHOLE
    },
    Extent {
        texts: 1,
        has_snippets: false,
        left_out: Some(
            "of each kind only one text is shown, and none on the map, so that the page stays small",
        ),
        ..WHOLE
    },
    Extent {
        texts: 1,
        has_snippets: false,
        has_pictures: false,
        left_out: Some(
            "cards have one text of each kind and no charts, so that the page stays small; `plots` has \
             the charts",
        ),
        ..WHOLE
    },
    Extent {
        texts: 0,
        has_snippets: false,
        has_pictures: false,
        left_out: Some("no texts are shown, so that the page stays small; `data` has them"),
        ..WHOLE
    },
    Extent {
        texts: 0,
        has_snippets: false,
        has_pictures: false,
        is_live: false,
        cards: 200,
        left_out: Some(
            "texts, interactive charts and all but 200 cards are left out, so that the page stays small",
        ),
    },
];

/// The report of a run.
///
/// # Errors
/// [`Error::Data`] if the template is broken, which no data make it.
pub fn page(material: &Material, options: &ReportOptions) -> Result<Page> {
    let most = (options.max_mb * 1e6).max(0.0);
    let mut smallest = None;
    for mut extent in EXTENTS {
        if !options.texts {
            (extent.texts, extent.has_snippets) = (0, false);
        }
        let html = written(material, &extent)?;
        let (bytes, left_out) = (html.len(), extent.left_out);
        smallest = Some(Page { html, left_out });
        if bytes as f64 <= most {
            break;
        }
    }
    Ok(smallest.expect("there are steps"))
}

fn written(material: &Material, extent: &Extent) -> Result<String> {
    let broken = |e: minijinja::Error| Error::Data(format!("the report's template: {e}"));
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.add_template("page", TEMPLATE).map_err(broken)?;
    let context = context::of(material, extent);
    let app = if extent.is_live { Some(app::app(material, extent)?) } else { None };
    let policy = app::policy(app.as_ref());
    let whole = json!({"style": STYLE, "policy": policy, "app": app, "of": context});
    environment.get_template("page").and_then(|page| page.render(Serde(&whole))).map_err(broken)
}
