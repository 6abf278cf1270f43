//! Options of the stage, and what of them the trainer is told.

use hypothesaes_math::sae::TrainOptions;
use serde::{Deserialize, Serialize};

use super::Size;
use crate::{Error, Result};

/// Options of the stage `sae`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SaeOptions {
    /// Autoencoders to train side by side, such as `["64:4", "32:2"]`; empty: one, by the number
    /// of texts.
    pub sizes: Vec<Size>,
    /// Neurons of the one autoencoder if `sizes` is empty; none: by the number of texts.
    #[serde(alias = "M")]
    pub n_neurons: Option<usize>,
    /// Neurons active per text of the one autoencoder if `sizes` is empty; none: by the number of
    /// texts.
    #[serde(alias = "K")]
    pub k: Option<usize>,
    /// Passes over the discover texts, at most.
    pub max_epochs: usize,
    /// Passes without a better reconstruction of the validation texts after which training stops.
    pub patience: usize,
    /// Texts per step; none: 512, or all if there are fewer.
    pub batch_size: Option<usize>,
    /// Step length of Adam.
    pub learning_rate: f64,
    /// Dead neurons per text that try to explain what is left of it; none: 2 k.
    pub aux_k: Option<usize>,
    /// Weight of what dead neurons make of the errors of the living ones; 0: they stay dead.
    pub aux_coef: f64,
    /// Texts without firing after which a neuron is dead; none: two passes, at most 131,072.
    pub dead_after: Option<u64>,
    /// Whether the strongest activations of a whole batch count, and not the `k` of each text.
    pub batch_top_k: bool,
    /// Numbers of neurons that must do by themselves, rising and ending at the number of neurons
    /// (Matryoshka).
    pub prefixes: Vec<usize>,
    /// Neurons per text of a second, less sparse reconstruction; none: there is none.
    pub multi_k: Option<usize>,
    /// Weight of its error.
    pub multi_coef: f64,
    /// Share of the steps in which the step length rises from 0.
    pub warmup: f64,
    /// Share of the steps, at the end, in which it falls to 0.
    pub decay: f64,
    /// Longest gradient.
    pub clip_norm: f64,
    /// Whether every autoencoder is trained a second time with other random numbers, to tell the
    /// neurons that both find from those of one.
    pub stability: bool,
}

impl Default for SaeOptions {
    fn default() -> Self {
        Self {
            sizes: Vec::new(),
            n_neurons: None,
            k: None,
            max_epochs: 500,
            patience: 10,
            batch_size: None,
            learning_rate: 0.002,
            aux_k: None,
            aux_coef: 0.03125,
            dead_after: None,
            batch_top_k: false,
            prefixes: Vec::new(),
            multi_k: None,
            multi_coef: 0.0,
            warmup: 0.0,
            decay: 0.0,
            clip_norm: 1.0,
            stability: false,
        }
    }
}

impl SaeOptions {
    /// # Errors
    /// [`Error::Option`] naming the first option outside its range.
    pub fn check(&self) -> Result<()> {
        if !self.sizes.is_empty() && (self.n_neurons.is_some() || self.k.is_some()) {
            let why = "leave out `sae.n_neurons` and `sae.k`, or `sae.sizes`";
            return Err(Error::option("sae.sizes", self.sizes[0], why));
        }
        // What the data call for is checked when they are there.
        let is_open = self.sizes.is_empty() && self.n_neurons.is_none();
        for size in self.sizes_for(usize::MAX) {
            let mut trainer = self.for_trainer(size, 0, 0);
            if is_open && let Some(&last) = self.prefixes.last() {
                // The default that allows most, or as the prefixes have it.
                trainer.n_neurons = last;
            }
            trainer.check().map_err(|e| name_option(e, &[size]))?;
        }
        Ok(())
    }

    /// The sizes asked for, or the default for this many discover texts.
    #[must_use]
    pub fn sizes_for(&self, n_discover: usize) -> Vec<Size> {
        if !self.sizes.is_empty() {
            return self.sizes.clone();
        }
        let default = Size::for_texts(n_discover);
        let n_neurons = self.n_neurons.unwrap_or(default.n_neurons);
        vec![Size { n_neurons, k: self.k.unwrap_or(default.k) }]
    }

    /// What the trainer needs for the autoencoder at `position`.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "training is in f32")]
    pub fn for_trainer(&self, size: Size, position: usize, seed: u64) -> TrainOptions {
        TrainOptions {
            n_neurons: size.n_neurons,
            k: size.k,
            max_epochs: self.max_epochs,
            patience: self.patience,
            batch_size: self.batch_size,
            learning_rate: self.learning_rate as f32,
            aux_k: self.aux_k,
            aux_coef: self.aux_coef as f32,
            dead_after: self.dead_after,
            batch_top_k: self.batch_top_k,
            prefixes: self.prefixes.clone(),
            multi_k: self.multi_k,
            multi_coef: self.multi_coef as f32,
            warmup: self.warmup,
            decay: self.decay,
            clip_norm: self.clip_norm as f32,
            seed,
            label: position.to_string(),
            ..TrainOptions::default()
        }
    }
}

/// The trainer's complaint in the words of this stage's options.
pub(super) fn name_option(error: hypothesaes_math::Error, sizes: &[Size]) -> Error {
    match error {
        hypothesaes_math::Error::Option { name: name @ ("n_neurons" | "k"), value, allowed } => {
            let sizes: Vec<String> = sizes.iter().map(Size::to_string).collect();
            let why = format!("`{name}` is {value}, allowed: {allowed}");
            Error::option("sae.sizes", sizes.join(", "), why)
        }
        hypothesaes_math::Error::Option { name, value, allowed } => {
            Error::option(format!("sae.{name}"), value, format!("allowed: {allowed}"))
        }
        hypothesaes_math::Error::Stopped => Error::Interrupted,
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(options: &SaeOptions, name: &str) {
        let message = options.check().unwrap_err().to_string();
        assert!(message.contains(name) && message.contains("allowed"), "{message}");
    }

    #[test]
    fn defaults_are_the_trainers() {
        SaeOptions::default().check().unwrap();
        let ours = SaeOptions::default().for_trainer(Size { n_neurons: 64, k: 4 }, 0, 0);
        assert_eq!(ours, TrainOptions::default());
    }

    #[test]
    fn trap_08_options_out_of_range_are_named() {
        let d = SaeOptions::default;
        let sizes = |n_neurons, k| SaeOptions { sizes: vec![Size { n_neurons, k }], ..d() };
        refused(&sizes(4, 5), "`sae.sizes` is `4:5`: `k` is 5");
        refused(&sizes(4, 0), "`sae.sizes` is `4:0`: `k` is 0");
        refused(&sizes(0, 0), "`n_neurons` is 0");
        refused(&SaeOptions { max_epochs: 0, ..d() }, "`sae.max_epochs` is `0`");
        refused(&SaeOptions { patience: 0, ..d() }, "`sae.patience`");
        refused(&SaeOptions { batch_size: Some(0), ..d() }, "`sae.batch_size`");
        refused(&SaeOptions { learning_rate: 0.0, ..d() }, "`sae.learning_rate`");
        refused(&SaeOptions { learning_rate: f64::NAN, ..d() }, "`sae.learning_rate` is `NaN`");
        refused(&SaeOptions { aux_coef: -1.0, ..d() }, "`sae.aux_coef`");
        let aux_k = SaeOptions { aux_k: Some(65), ..sizes(64, 4) };
        refused(&aux_k, "`sae.aux_k` is `65`");
        refused(&SaeOptions { dead_after: Some(0), ..d() }, "`sae.dead_after`");
        refused(&SaeOptions { multi_k: Some(0), ..d() }, "`sae.multi_k`");
        refused(&SaeOptions { multi_coef: f64::INFINITY, ..d() }, "`sae.multi_coef`");
        refused(&SaeOptions { warmup: 0.7, decay: 0.4, ..d() }, "`sae.decay` is `0.4`");
        refused(&SaeOptions { clip_norm: 0.0, ..d() }, "`sae.clip_norm`");
        for prefixes in [vec![4, 32], vec![32, 16, 64], vec![0, 64]] {
            let options = SaeOptions { prefixes, ..sizes(64, 4) };
            refused(&options, "rise and end at 64");
        }
    }

    #[test]
    fn one_number_of_the_default_size_can_be_set() {
        let options: SaeOptions = toml::from_str("K = 3").unwrap();
        assert_eq!(options.sizes_for(100), ["64:3".parse().unwrap()]);
        let both = SaeOptions { sizes: vec!["8:2".parse().unwrap()], k: Some(3), ..options };
        assert!(both.check().unwrap_err().to_string().contains("leave out"));
    }

    #[test]
    fn sizes_are_read_and_written_as_text() {
        let options: SaeOptions = toml::from_str("sizes = ['64:4', '32:2']").unwrap();
        assert_eq!(options.sizes, ["64:4", "32:2"].map(|s| s.parse().unwrap()));
        assert!(toml::to_string(&options).unwrap().contains(r#"sizes = ["64:4", "32:2"]"#));
        let wrong = toml::from_str::<SaeOptions>("sizes = ['64-4']").unwrap_err().to_string();
        assert!(wrong.contains("64-4") && wrong.contains("NEURONS:ACTIVE"), "{wrong}");
    }
}
