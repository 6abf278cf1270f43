//! Vega-Lite specifications in, pictures out: SVG and PNG, without a browser and without a network.
//!
//! Vega itself draws (`web/dist/render.js`, built from `web/src`), in a JavaScript engine that is part
//! of the program and sees nothing of the computer. What a specification says is not here.

mod png;
mod svg;

pub use png::png;
pub use svg::Renderer;

/// What a picture fails of.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The specification is none that Vega-Lite draws.
    #[error("a chart cannot be drawn: {0}")]
    Spec(String),
    /// The engine does not start, or has no memory left.
    #[error("charts cannot be drawn on this computer: {0}")]
    Engine(String),
    /// The SVG is none that can be made a PNG.
    #[error("a picture cannot be made of a chart: {0}")]
    Picture(String),
}

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;
