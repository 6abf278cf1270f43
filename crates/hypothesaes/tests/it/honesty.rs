//! A target that has nothing to do with the texts: how often does anything hold all the same?

use hypothesaes::Result;
use hypothesaes::annotate::{AnnotateOptions, annotate, annotator};
use hypothesaes::data::{Task, Texts};
use hypothesaes::demo::REVIEWS;
use hypothesaes::embed::{self, EmbedOptions};
use hypothesaes::evaluate::{Baselines, EvaluateOptions, Heldout, evaluate};
use hypothesaes::interpret::{InterpretOptions, Material, interpret, interpreter};
use hypothesaes::sae::{self, SaeOptions};
use hypothesaes::select::{Discover, SelectOptions, select};
use hypothesaes::watch::Unwatched;
use hypothesaes_math::Activations;
use hypothesaes_math::random::{permutation, stream};

const SHUFFLES: u64 = 200;

/// Reviews with the stages that do not see the target done.
struct Prepared {
    texts: Texts,
    stars: Vec<f64>,
    z: Activations,
    discover: Vec<usize>,
    validation: Vec<usize>,
    heldout: Vec<usize>,
}

impl Prepared {
    fn new() -> Result<Self> {
        let reviews: Vec<serde_json::Value> =
            REVIEWS.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let texts: Texts = reviews.iter().map(|r| r["text"].as_str().unwrap()).collect();
        let stars = reviews.iter().map(|r| r["stars"].as_f64().unwrap()).collect();
        let mut order = permutation(texts.len(), &mut stream(0, "split"));
        let mut take = |n| {
            let mut rows: Vec<usize> = order.drain(..n).collect();
            rows.sort_unstable();
            rows
        };
        let (discover, validation, heldout) = (take(1000), take(200), take(800));
        let embedder =
            embed::fit(&texts.gather(&discover), &EmbedOptions::default(), None, 0, &Unwatched)?;
        let x = embedder.embed(&texts, &Unwatched)?;
        let options = SaeOptions::default();
        let models = sae::train(
            &x.gather(&discover),
            &x.gather(&validation),
            &options,
            0,
            None,
            &Unwatched,
        )?;
        let z = sae::encode(&models, &x)?;
        Ok(Self { texts, stars, z, discover, validation, heldout })
    }

    /// How many hypotheses about `y` hold, by themselves and beside the others.
    fn holding(&self, y: &[f64], task: &Task, seed: u64) -> Result<(usize, usize)> {
        let of = |rows: &[usize]| -> Vec<f64> { rows.iter().map(|&i| y[i]).collect() };
        let z = self.z.gather(&self.discover);
        let y = of(&self.discover);
        let options = SelectOptions { n_half_samples: 0, ..SelectOptions::default() };
        let chosen = select(&Discover::new(&z, &y, task), seed, &options)?.chosen;
        let chosen: Vec<usize> = chosen.iter().map(|c| c.neuron).collect();
        let material = Material {
            z: &self.z,
            chosen: &chosen,
            texts: &self.texts,
            vectors: None,
            discover: &self.discover,
            validation: &self.validation,
        };
        let (options, language) = (InterpretOptions::default(), EmbedOptions::default().language);
        let words = interpreter(&options, language, (&self.texts, &self.discover), None, seed)?;
        let judge = annotator(&AnnotateOptions::default(), language, None, "annotate", None)?;
        let labelled = interpret(material, &options, seed, (&*words, &*judge), &Unwatched)?;
        let concepts: Vec<String> = labelled.into_iter().filter_map(|l| l.concept).collect();
        let annotations =
            annotate(&*judge, &concepts, &self.texts.gather(&self.heldout), &Unwatched)?;
        let columns: Vec<Vec<Option<bool>>> =
            (0..concepts.len()).map(|c| annotations.concept(c).to_vec()).collect();
        // The intervals of R2 decide nothing here.
        let options = EvaluateOptions { n_bootstrap: 20, ..EvaluateOptions::default() };
        let y = of(&self.heldout);
        let heldout = Heldout::new(&columns, &y, task);
        let found = evaluate(&heldout, &Baselines::default(), seed, &options)?;
        let p_joint = found.hypotheses.iter().filter_map(|t| t.joint?.p_holm);
        Ok((found.n_hold, p_joint.filter(|p| *p < options.alpha).count()))
    }
}

#[test]
fn a_shuffled_target_seldom_leaves_anything_that_holds() {
    let prepared = Prepared::new().unwrap();
    let binary = Task::Binary { positive: "good".into(), negative: "bad".into() };
    for (task, cut) in [(Task::Continuous, None), (binary, Some(4.0))] {
        let target = |i: &usize| {
            let stars = prepared.stars[*i];
            cut.map_or(stars, |cut| f64::from(u8::from(stars >= cut)))
        };
        let (mut alone, mut jointly) = (0, 0);
        for seed in 0..SHUFFLES {
            let order = permutation(prepared.stars.len(), &mut stream(seed, "shuffle"));
            let y: Vec<f64> = order.iter().map(target).collect();
            let (by_itself, beside) = prepared.holding(&y, &task, seed).unwrap();
            alone += u32::from(by_itself > 0);
            jointly += u32::from(beside > 0);
        }
        for (name, runs) in [("alone", alone), ("jointly", jointly)] {
            let share = f64::from(runs) / SHUFFLES as f64;
            println!("{task:?}, {name}: something holds in {share} of the runs");
            assert!(share <= 0.09, "{task:?}, {name}: {share}");
        }
    }
}
