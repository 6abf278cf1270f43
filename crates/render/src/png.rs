//! From SVG to PNG.

use std::sync::{Arc, LazyLock};

use resvg::tiny_skia::{Color, Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};

use crate::{Error, Result};

/// `DejaVu` Sans Condensed, whose licence is beside it: the same letters on every computer. Those that it
/// lacks are taken from the computer's fonts.
const LETTERS: &[u8] = include_bytes!("../fonts/DejaVuSansCondensed.ttf");
const FAMILY: &str = "DejaVu Sans Condensed";

static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(LETTERS.to_vec());
    fonts.load_system_fonts();
    fonts.set_sans_serif_family(FAMILY);
    Arc::new(fonts)
});

/// An SVG as a PNG on white, `scale` dots for each of its own.
///
/// # Errors
/// [`Error::Picture`] for what is no SVG, or too large.
pub fn png(svg: &str, scale: f32) -> Result<Vec<u8>> {
    let bad = |why: &dyn std::fmt::Display| Error::Picture(why.to_string());
    let options =
        Options { fontdb: FONTS.clone(), font_family: FAMILY.into(), ..Options::default() };
    let tree = Tree::from_str(svg, &options).map_err(|e| bad(&e))?;
    let size = tree.size().to_int_size().scale_by(scale).ok_or_else(|| bad(&"it has no size"))?;
    let mut pixels =
        Pixmap::new(size.width(), size.height()).ok_or_else(|| bad(&"it is too large"))?;
    pixels.fill(Color::WHITE);
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixels.as_mut());
    pixels.encode_png().map_err(|e| bad(&e))
}
