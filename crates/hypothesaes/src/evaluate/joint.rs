//! All hypotheses beside each other in one regression, with the controls.

use hypothesaes_math::metrics::{self, Predicted};
use hypothesaes_math::regression::{self, Columns, Inference, Setup, Term, Variance, ordinal};
use hypothesaes_math::{Error as MathError, Estimate};

use super::layout::Layout;
use super::sample::Sample;
use super::target::{Kind, Target};
use super::{Counts, Effect, Intercept, Model, Source, Tested, single};
use crate::Result;

/// The joint regression of one target.
pub(super) struct Joint {
    pub class: Option<String>,
    pub model: Model,
    pub intercept: Option<Intercept>,
    /// Fitted means of the rows of the layout; `None` if nothing could be fitted.
    pub fitted: Option<Vec<f64>>,
    pub messages: Vec<String>,
    terms: Vec<JointTerm>,
}

/// What the regression says of a hypothesis.
struct JointTerm {
    effect: Effect,
    marginal: Option<Estimate>,
    standardised: Option<f64>,
    change: Option<f64>,
    p_proportional: Option<f64>,
    notes: Vec<&'static str>,
}

pub(super) fn fit(
    sample: &Sample,
    layout: &Layout,
    target: &Target,
    counts: Counts,
) -> Result<Joint> {
    let has_fixed_effects = !layout.part.absorbed.is_empty();
    let (model, instead) = target.model(counts, has_fixed_effects);
    let class = target.class.clone();
    let messages = instead.map(str::to_owned).into_iter().collect();
    let mut joint = Joint { class, model, intercept: None, fitted: None, messages, terms: vec![] };
    let y = target.gather(&layout.part.rows);
    if let Some(obstacle) = layout.obstacle(&y, model) {
        joint.messages.push(obstacle);
        return Ok(joint);
    }
    let found = match model {
        Model::Ordinal => joint.by_levels(sample, layout, &y),
        _ => joint.by_regression(sample, layout, &y),
    };
    match found {
        Err(crate::Error::Math(MathError::Data(why) | MathError::Diverged(why))) => {
            joint.messages.push(format!("no joint model: {why}"));
            joint.terms.clear();
        }
        found => found?,
    }
    Ok(joint)
}

impl Joint {
    /// Least squares, logit, counts.
    fn by_regression(&mut self, sample: &Sample, layout: &Layout, y: &[f64]) -> Result<()> {
        let part = &layout.part;
        let columns = layout.with_controls(&layout.columns)?;
        let absorbed = part.factors();
        let setup = part.setup(self.model.regression(), layout.columns.cols(), &absorbed);
        let found = setup.infer(&columns, y)?;
        let changes = self.changes(&setup, &columns, y, &found, part.exposure.as_deref())?;
        let n = y.len();
        self.intercept = found.intercept.then(|| Intercept {
            class: self.class.clone(),
            effect: single::effect(&found.terms[0], n),
        });
        self.terms = found.columns()[..layout.columns.cols()]
            .iter()
            .zip(changes)
            .map(|(term, change)| JointTerm {
                effect: single::effect(term, n),
                marginal: term.marginal.or(self.own_unit(sample, term)),
                standardised: term.standardised,
                change,
                p_proportional: None,
                notes: notes(term),
            })
            .collect();
        self.fitted = Some(found.fitted);
        Ok(())
    }

    /// The coefficient itself, where it is in the unit of the target.
    fn own_unit(&self, sample: &Sample, term: &Term) -> Option<Estimate> {
        let is = matches!(self.model, Model::Ols | Model::LinearProbability);
        (is && !sample.of.is_paired).then_some(term.estimate)
    }

    /// What the measure of the fit loses without each hypothesis.
    fn changes(
        &self,
        setup: &Setup,
        columns: &Columns,
        y: &[f64],
        found: &Inference,
        exposure: Option<&[f64]>,
    ) -> Result<Vec<Option<f64>>> {
        let terms = &found.columns()[..setup.tested];
        let metric = match self.model {
            Model::Logit => metrics::Metric::Concordance,
            Model::Poisson | Model::NegativeBinomial => metrics::Metric::Deviance,
            _ => return Ok(terms.iter().map(|t| t.r_squared_change).collect()),
        };
        let measure = |prediction: &[f64]| -> Result<Option<f64>> {
            let (weights, fold) = (setup.weights, None);
            let predicted = Predicted { y, prediction, weights, exposure, fold };
            Ok(metrics::score(metric, &predicted)?.map(|score| score.value))
        };
        let all = measure(&found.fitted)?;
        // The change is a detail beside the effects, which are there.
        let without = setup.without_each(columns, y, found, |fitted| measure(&fitted))?;
        let change = |without: Option<Result<Option<f64>>>| match without {
            Some(without) => Ok(all.zip(without?).map(|(all, without)| all - without)),
            None => Ok(None),
        };
        without.into_iter().map(change).collect()
    }

    /// Proportional odds.
    fn by_levels(&mut self, sample: &Sample, layout: &Layout, y: &[f64]) -> Result<()> {
        let part = &layout.part;
        let mut values = y.to_vec();
        values.sort_by(f64::total_cmp);
        values.dedup();
        let levels: Vec<usize> = y.iter().map(|v| values.partition_point(|l| l < v)).collect();
        let clusters: Option<Vec<usize>> =
            part.clusters.as_ref().map(|c| c.iter().map(|c| *c as usize).collect());
        let target = ordinal::Target {
            levels: &levels,
            values: &values,
            weights: part.weights.as_deref(),
            cluster: clusters.as_deref(),
        };
        let columns = layout.with_controls(&layout.columns)?;
        let found = ordinal::infer(&target, &columns, sample.level)?;
        self.terms = found.terms[..layout.columns.cols()]
            .iter()
            .map(|term| ordered(term, y.len()))
            .collect();
        self.fitted = Some(found.fitted);
        Ok(())
    }

    /// Writes the joint effects and what to know of them into the hypotheses.
    pub fn fill(&self, layout: &Layout, hypotheses: &mut [Tested]) {
        for (&j, term) in layout.fitted.iter().zip(&self.terms) {
            let tested = &mut hypotheses[j];
            tested.joint = Some(term.effect);
            tested.marginal = term.marginal;
            tested.standardised = term.standardised;
            tested.change = term.change;
            tested.p_proportional = term.p_proportional;
            term.notes.iter().for_each(|note| tested.warn(note));
        }
    }
}

fn notes(term: &Term) -> Vec<&'static str> {
    match term.variance {
        None => vec!["its joint effect rests on too few texts or groups to be tested"],
        Some(Variance::Profile) => vec![
            "few of its texts are of one class, so the joint effect is a penalised (Firth) estimate",
        ],
        Some(_) => Vec::new(),
    }
}

fn ordered(term: &ordinal::Term, n: usize) -> JointTerm {
    let separated = "goes with one end of the levels without exception, so its log-odds have no \
                     limit; the effect on the expected level stands";
    let estimate = term.estimate.unwrap_or(Estimate::bare(term.effect.value));
    let source = term.estimate.map(|_| Source::Sandwich);
    JointTerm {
        effect: Effect {
            std_error_robust: term.robust,
            std_error_classical: term.classical,
            ..Effect::new(estimate, n, source)
        },
        marginal: Some(term.effect),
        standardised: None,
        change: None,
        p_proportional: term.proportional.map(|chi| chi.p_value),
        notes: if term.estimate.is_none() { vec![separated] } else { Vec::new() },
    }
}

impl Model {
    /// The regression of the numerics that it is.
    pub(super) fn regression(self) -> regression::Model {
        match self {
            Self::Logit => regression::Model::Logit,
            Self::Poisson => regression::Model::Poisson,
            Self::NegativeBinomial => regression::Model::NegativeBinomial,
            Self::Ols | Self::LinearProbability | Self::Ordinal => regression::Model::LeastSquares,
        }
    }
}

/// What a kind of target has its predictions measured by.
pub(super) fn metrics_of(kind: Kind) -> &'static [(super::Metric, metrics::Metric)] {
    use super::Metric::{Auc, Concordance, Deviance, LogLoss, RSquared};
    match kind {
        Kind::Number => &[(RSquared, metrics::Metric::RSquared)],
        Kind::Class => &[(Auc, metrics::Metric::Concordance), (LogLoss, metrics::Metric::LogLoss)],
        Kind::Count => &[(Deviance, metrics::Metric::Deviance)],
        Kind::Level => {
            &[(RSquared, metrics::Metric::RSquared), (Concordance, metrics::Metric::Concordance)]
        }
    }
}
