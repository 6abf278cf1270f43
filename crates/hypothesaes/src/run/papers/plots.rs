//! `plots/`: every chart as SVG, PNG and Vega-Lite.

use hypothesaes_render::{Renderer, png};
use rayon::prelude::*;

use crate::Result;
use crate::charts::Chart;
use crate::store::Outputs;
use crate::watch::Watch;

/// Dots of a PNG for each of the picture's own.
const SCALE: f32 = 2.0;

/// Charts that an engine draws in about the time it takes to start.
const WORTH_AN_ENGINE: usize = 8;

/// SVG and PNG of a chart, or why there are none.
type Drawn = Result<(String, Vec<u8>), String>;

/// Writes `plots/NAME.json`, and what can be drawn of it beside; gives each chart with its SVG. A chart that
/// cannot be drawn is said, and loses nothing else.
pub(in crate::run) fn plots(
    out: &mut Outputs,
    charts: Vec<Chart>,
    watch: &dyn Watch,
) -> Result<Vec<(Chart, Option<String>)>> {
    let drawn = drawn(&charts);
    let mut pictures = Vec::new();
    for (chart, drawn) in charts.into_iter().zip(drawn) {
        let name = &chart.name;
        out.json(&format!("plots/{name}.json"), &chart.spec)?;
        let svg = match drawn {
            Ok((svg, png)) => {
                out.bytes(&format!("plots/{name}.svg"), svg.as_bytes())?;
                out.bytes(&format!("plots/{name}.png"), &png)?;
                Some(svg)
            }
            Err(why) => {
                watch.say(&format!("plots/{name}.svg is left out: {why}"));
                None
            }
        };
        pictures.push((chart, svg));
    }
    Ok(pictures)
}

fn drawn(charts: &[Chart]) -> Vec<Drawn> {
    let draw = |renderer: &Renderer, chart: &Chart| -> Drawn {
        let svg = renderer.svg(&chart.spec.to_string()).map_err(|e| e.to_string())?;
        let png = png(&svg, SCALE).map_err(|e| e.to_string())?;
        Ok((svg, png))
    };
    let part = |charts: &[Chart]| -> Vec<Drawn> {
        let all =
            Renderer::with(|renderer| charts.iter().map(|chart| draw(renderer, chart)).collect());
        all.unwrap_or_else(|e| charts.iter().map(|_| Err(e.to_string())).collect())
    };
    // Each engine draws one chart at a time, wherever it runs: how many there are changes nothing.
    let engines = (charts.len() / WORTH_AN_ENGINE).clamp(1, rayon::current_num_threads());
    let size = charts.len().div_ceil(engines).max(1);
    charts.par_chunks(size).map(part).collect::<Vec<_>>().concat()
}
