//! From SVG to PNG.

use std::sync::{Arc, LazyLock};

use resvg::tiny_skia::{Color, Pixmap, Transform};
use resvg::usvg::fontdb::{Database, ID, Source};
use resvg::usvg::{FontResolver, Options, Tree};

use crate::{Error, Result};

/// `DejaVu` Sans Condensed, whose licence is beside it: the same letters on every computer, about as wide
/// as Vega takes them to be.
const LETTERS: &[u8] = include_bytes!("../fonts/DejaVuSansCondensed.ttf");

/// The computer's fonts, for letters that this one lacks, and which of them it is.
static FONTS: LazyLock<(Arc<Database>, Option<ID>)> = LazyLock::new(|| {
    let mut fonts = Database::new();
    let own = fonts.load_font_source(Source::Binary(Arc::new(LETTERS))).first().copied();
    fonts.load_system_fonts();
    (Arc::new(fonts), own)
});

/// An SVG as a PNG on white, `scale` dots for each of its own.
///
/// # Errors
/// [`Error::Picture`] for what is no SVG, or too large.
pub fn png(svg: &str, scale: f32) -> Result<Vec<u8>> {
    let bad = |why: &dyn std::fmt::Display| Error::Picture(why.to_string());
    let (fonts, own) = &*FONTS;
    let font_resolver = FontResolver {
        select_font: Box::new(move |_, _| *own),
        select_fallback: FontResolver::default_fallback_selector(),
    };
    let options = Options { fontdb: fonts.clone(), font_resolver, ..Options::default() };
    let tree = Tree::from_str(svg, &options).map_err(|e| bad(&e))?;
    let size = tree.size().to_int_size().scale_by(scale).ok_or_else(|| bad(&"it has no size"))?;
    let mut pixels =
        Pixmap::new(size.width(), size.height()).ok_or_else(|| bad(&"it is too large"))?;
    pixels.fill(Color::WHITE);
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixels.as_mut());
    pixels.encode_png().map_err(|e| bad(&e))
}
