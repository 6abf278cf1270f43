//! `sae`: the autoencoders, and what their neurons do on every text.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use hypothesaes_math::sae::screened_by;
use hypothesaes_math::{Activations, Rows, Subset};

use super::embed::{EMBEDDINGS, Embedded};
use crate::Result;
use crate::data::{Dataset, Split};
use crate::run::Context;
use crate::sae::{self, Checkpoint, TRAINER_VERSION, TrainedSae, Unfinished};
use crate::store::Stage;
use crate::table::{Column, Table, Values};

pub(crate) const MODEL: &str = "sae/model.safetensors";
/// Which neurons can be trusted.
const HEALTH: &str = "sae/health.json";
/// Where training goes on from after a kill: this, the autoencoder's position, `.part`.
const UNFINISHED: &str = "sae/unfinished";

/// What the later stages know of the autoencoders.
pub(crate) struct Neurons {
    pub models: Vec<TrainedSae>,
    /// Autoencoder of every neuron.
    pub sae_ids: Vec<String>,
    /// Texts x neurons, once somebody wants all of it.
    z: OnceLock<Activations>,
}

pub(crate) fn sae(context: &mut Context, data: &Dataset, x: &Embedded) -> Result<Neurons> {
    let identity = context.identity(Stage::Sae);
    let Context { run, options, watch, .. } = context;
    run.log("neurons ruled out by", &screened_by(x.dim()))?;
    let embeddings = run.content(Stage::Embed, EMBEDDINGS);
    let unfinished = Unfinished::new(&run.path().join(UNFINISHED), &identity.hash());
    let (options, watch) = (*options, *watch);
    run.stage(
        Stage::Sae,
        identity,
        watch,
        |out| {
            let [discover, validation] =
                [Split::Discover, Split::Validation].map(|part| data.texts_in(part));
            let all = x.whole()?;
            let (discover, validation) =
                (Subset::new(all, discover)?, Subset::new(all, validation)?);
            let models = sae::train(
                &discover,
                &validation,
                &options.sae,
                options.seed,
                Some(&unfinished),
                watch,
            )?;
            let checkpoint = Checkpoint {
                models,
                options: options.sae.clone(),
                seed: options.seed,
                data_hash: embeddings,
                trainer_version: TRAINER_VERSION,
            };
            out.file(MODEL, |to| checkpoint.write(&mut *to))?;
            unfinished.remove(2 * checkpoint.models.len())?;
            let models = checkpoint.models.iter();
            let health: BTreeMap<_, _> = models.map(|m| (&m.id, &m.health)).collect();
            out.json(HEALTH, &health)?;
            out.table(&sae::neuron_table(&checkpoint.models))?;
            out.table(&sae::training_table(&checkpoint.models))?;
            out.table(&sae::sae_table(&checkpoint.models))?;
            let neurons = Neurons::new(checkpoint.models);
            out.long_table(&activations_table(neurons.z(x)?, data))?;
            Ok(neurons)
        },
        |folder| Ok(Neurons::new(Checkpoint::read(&folder.join(MODEL))?.models)),
    )
}

impl Neurons {
    fn new(models: Vec<TrainedSae>) -> Self {
        let ids = models.iter().flat_map(|m| std::iter::repeat_n(m.id.clone(), m.sae.n_neurons()));
        let sae_ids = ids.collect();
        Self { models, sae_ids, z: OnceLock::new() }
    }

    /// What every neuron does on every text, whose vectors are `x`.
    pub fn z(&self, x: &Embedded) -> Result<&Activations> {
        if self.z.get().is_none() {
            let _ = self.z.set(sae::encode(&self.models, x.whole()?)?);
        }
        Ok(self.z.get().expect("made just now"))
    }

    /// The same on some texts, whose numbers rise, without a look at the others.
    pub fn of(&self, x: &Embedded, texts: &[usize]) -> Result<Activations> {
        match self.z.get() {
            Some(z) => Ok(z.gather(texts)),
            None => Ok(sae::encode(&self.models, &x.of(texts)?)?),
        }
    }
}

/// Long form: a row for every neuron that fires on a text.
fn activations_table(z: &Activations, data: &Dataset) -> Table {
    let texts: Vec<usize> = (0..z.rows()).collect();
    let row_id = data.row_ids(&texts);
    let entries = || (0..z.rows()).flat_map(|i| z.pairs(i).map(move |(j, v)| (i, j, v)));
    let mut columns = vec![
        Column {
            name: "row_id",
            unit: "",
            description: "row of the input, counted from 0",
            values: Values::Integer(
                entries().map(|(i, _, _)| i64::try_from(row_id[i]).ok()).collect(),
            ),
        },
        Column::integer(
            "neuron_id",
            "",
            "number of the neuron, counted through all autoencoders from 0",
            entries().map(|(_, j, _)| Some(j)),
        ),
        Column::number(
            "activation",
            "activation",
            "how strongly the neuron fires on the text; texts it does not fire on have no row",
            entries().map(|(_, _, v)| Some(f64::from(v))),
        ),
    ];
    if let Some(sides) = data.sides(&texts) {
        columns.insert(1, Column::side(entries().map(|(i, _, _)| sides[i])));
    }
    Table { name: "activations", columns }
}
