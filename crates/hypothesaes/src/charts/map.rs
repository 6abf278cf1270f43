//! The held-out texts on a plane: texts alike lie near each other.

use hypothesaes_math::Matrix;
use hypothesaes_math::random::{permutation, stream};
use hypothesaes_math::tsne::tsne;
use hypothesaes_math::vector::normalise;
use serde_json::json;

use super::spec::{self, chart, tooltip};
use super::{Chart, Shown, cut, target};
use crate::Result;
use crate::data::{Dataset, Split, Task};
use crate::run::Outcome;
use crate::table::{Column, Table};

/// Texts on the map, at most.
const MOST: usize = 2000;
/// Fewer texts make no map.
const LEAST: usize = 5;
/// Neighbours that count: the usual choice.
const PERPLEXITY: f64 = 30.0;
const SIDE: usize = 480;

/// Where texts lie.
#[derive(Debug, Clone, PartialEq)]
pub struct Map {
    /// Places among the held-out texts, rising.
    pub texts: Vec<usize>,
    pub places: Vec<[f64; 2]>,
}

/// Some of the held-out texts, drawn by the seed, by the directions of their vectors; `None` without vectors
/// or with few texts.
///
/// # Errors
/// [`crate::Error::Math`] for vectors that are not finite.
pub fn map(shown: &Shown) -> Result<Option<Map>> {
    let all = shown.data.texts_in(Split::Heldout);
    let Some(x) = shown.x.filter(|_| all.len() >= LEAST) else { return Ok(None) };
    let mut texts = permutation(all.len(), &mut stream(shown.seed, "map of the texts"));
    texts.truncate(MOST);
    texts.sort_unstable();
    let rows: Vec<usize> = texts.iter().map(|&i| all[i]).collect();
    let mut buffer = Vec::new();
    let mut vectors = Matrix::zeros(rows.len(), x.dim());
    for (i, row) in x.fetch(&rows, &mut buffer)?.into_iter().enumerate() {
        vectors.row_mut(i).copy_from_slice(row);
        normalise(vectors.row_mut(i));
    }
    let places = tsne(&vectors, PERPLEXITY, shown.seed)?;
    Ok(Some(Map { texts, places }))
}

/// The map in the colours of the target.
pub(super) fn drawn(map: &Map, outcome: &Outcome, shown: &Shown) -> Chart {
    let data = shown.data;
    let all = data.texts_in(Split::Heldout);
    let texts: Vec<usize> = map.texts.iter().map(|&i| all[i]).collect();
    let row = |text: usize| usize::try_from(data.row_id[text % data.n_rows()]).ok();
    let is_named = class(data, 0).is_some();
    let value = if is_named {
        Column::text("target", "their class", texts.iter().map(|&t| class(data, t)))
    } else {
        let y = |t: &usize| Some(data.y[t % data.n_rows()]);
        Column::number("target", "target", "their target", texts.iter().map(y))
    };
    // Three digits are finer than a dot.
    let place = |k: usize| map.places.iter().map(move |at| Some((at[k] * 1e3).round() / 1e3));
    let table = Table {
        name: "map",
        columns: vec![
            Column::number("x", "", "place on the map", place(0)),
            Column::number("y", "", "place on the map", place(1)),
            Column::integer("row", "", "row of the input, from 0", texts.iter().map(|&t| row(t))),
            value,
        ],
    };
    let name = target(outcome);
    let color = if is_named {
        json!({"field": "target", "type": "nominal", "title": name, "scale": {"range": spec::CLASSES}})
    } else {
        json!({"field": "target", "type": "quantitative", "title": name, "scale": {"scheme": "viridis"}})
    };
    let axis = |field: &str| json!({"field": field, "type": "quantitative", "axis": null, "scale": {"zero": false, "nice": false, "padding": 8}});
    let marks = json!({
        "width": SIDE,
        "mark": {"type": "circle", "size": 24, "opacity": 0.75, "aria": false},
        "encoding": {"x": axis("x"), "y": axis("y"), "color": color, "tooltip": tooltip(&[("row", "row"), ("target", name)])}
    });
    let title =
        format!("{} of {} held-out texts, those alike near each other", texts.len(), all.len());
    let caption = format!(
        "By t-SNE (perplexity {PERPLEXITY}) of what the texts were embedded as. Near means alike; \
         distances between clusters and their sizes mean little."
    );
    let spec = chart(&table, SIDE, marks);
    Chart { name: "map".into(), about: None, title, caption, table, spec }
}

/// The name of a text's class, if the target is one.
fn class(data: &Dataset, text: usize) -> Option<String> {
    let y = data.y.get(text % data.n_rows().max(1))?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "class numbers")]
    let number = *y as usize;
    match &data.task {
        Task::Binary { positive, negative } => {
            Some(cut(if *y == 1.0 { positive } else { negative }, 40))
        }
        Task::Multiclass { classes } => classes.get(number).map(|class| cut(class, 40)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::annotate::Annotations;
    use crate::charts::tests::outcome;
    use crate::data::Covariates;

    fn data(n: usize, task: Task) -> Dataset {
        let texts: Vec<String> = (0..n).map(|i| format!("text {i}")).collect();
        Dataset {
            texts: texts.iter().map(String::as_str).collect(),
            is_paired: false,
            y: (0..n).map(|i| (i % 2) as f64).collect(),
            task,
            target: "stars".into(),
            split: vec![Split::Heldout; n],
            covariates: Covariates::default(),
            group: None,
            row_id: (0..n as u64).map(|i| i * 2).collect(),
            document: None,
        }
    }

    #[test]
    fn a_map_has_at_most_two_thousand_texts_and_knows_their_classes() {
        let n = 2100;
        let task = Task::Binary { positive: "won".into(), negative: "lost".into() };
        let data = data(n, task);
        let x = Matrix::from_vec(n, 3, (0..3 * n).map(|i| (i * 31 % 97) as f32).collect()).unwrap();
        let annotations = Annotations::default();
        let shown = Shown { data: &data, annotations: &annotations, z: None, x: Some(&x), seed: 1 };
        let found = map(&shown).unwrap().unwrap();
        assert_eq!((found.texts.len(), found.places.len()), (MOST, MOST));
        assert!(found.texts.is_sorted() && *found.texts.last().unwrap() < n);
        let chart = drawn(&found, &outcome(), &shown);
        let first = &chart.spec["data"]["values"][0];
        assert_eq!(first["row"], 2 * found.texts[0]);
        assert_eq!(first["target"], if found.texts[0] % 2 == 1 { "won" } else { "lost" });
        assert_eq!(map(&Shown { x: None, ..shown }).unwrap(), None);
    }

    #[test]
    fn few_texts_make_no_map() {
        let data = data(4, Task::Continuous);
        let x = Matrix::zeros(4, 2);
        let annotations = Annotations::default();
        let shown = Shown { data: &data, annotations: &annotations, z: None, x: Some(&x), seed: 1 };
        assert_eq!(map(&shown).unwrap(), None);
    }
}
