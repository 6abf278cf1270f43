//! `hypothesaes sae`: autoencoders on files of vectors, without texts or a target.

pub mod args;
mod show;

use std::path::Path;

use anyhow::Result;
use hypothesaes::Error;
use hypothesaes::options::Options;
use hypothesaes::sae::{self, Checkpoint, FileTraining, SaeOptions, TrainedSae, write_checkpoint};
use hypothesaes::store::write_atomically;
use hypothesaes::table::csv;
use hypothesaes::tensors::{VectorFile, csr, npy};
use hypothesaes_math::Activations;

use crate::command::use_threads;
use crate::exit::Usage;
use crate::interrupt;
use crate::progress::Progress;
use args::{Decode, Encode, Health, Import, SaeCommand, Train};

/// Rows that are decoded at a time.
const PART: usize = 8_192;

/// Does what the words after `sae` ask for.
pub fn carry_out(command: SaeCommand) -> Result<()> {
    match command {
        SaeCommand::Train(args) => train(&args),
        SaeCommand::Encode(args) => encode(&args),
        SaeCommand::Decode(args) => decode(&args),
        SaeCommand::Health(args) => health(&args),
        SaeCommand::Import(args) => import(&args),
    }
}

fn train(args: &Train) -> Result<()> {
    let options = options(args)?;
    is_free(&args.out)?;
    use_threads(args.shared.threads)?;
    interrupt::kept_in(format!("{}.unfinished-*", args.out.display()));
    let training = FileTraining {
        vectors: args.vectors.clone(),
        validation: args.validation.clone(),
        out: args.out.clone(),
        options,
        seed: args.seed,
        memory: args.memory.as_u64(),
    };
    let checkpoint = training.run(&Progress::new(args.shared.quiet))?;
    show::health(&checkpoint.models, &[], args.shared.json)
}

fn options(args: &Train) -> Result<SaeOptions> {
    let mut options = Options::default();
    for assignment in &args.options {
        if !assignment.trim_start().starts_with("sae.") {
            return Err(Usage {
                message: format!("`-o {assignment}` is no option of the training"),
                hint:
                    "those begin with `sae.`, as in `-o sae.patience=5`; docs/options.toml lists \
                       them"
                        .into(),
            }
            .into());
        }
        options.set(assignment)?;
    }
    let mut options = options.sae;
    if !args.sae.is_empty() {
        let sizes = args.sae.iter().map(|size| size.parse());
        options.sizes = sizes.collect::<hypothesaes::Result<_>>()?;
    }
    Ok(options)
}

fn encode(args: &Encode) -> Result<()> {
    is_free(&args.out)?;
    use_threads(args.shared.threads)?;
    let models = Checkpoint::read(&args.model)?.models;
    let vectors = open(&args.vectors, &models, &args.model)?;
    let z = sae::encode(&models, &vectors)?;
    write_atomically(&args.out, |to| csr::write(&mut *to, &z))?;
    let per_row = z.len() as f64 / z.rows().max(1) as f64;
    show::written(
        &args.out,
        &[z.rows(), z.neurons()],
        &[("active_per_row", per_row)],
        args.shared.json,
    )
}

fn decode(args: &Decode) -> Result<()> {
    is_free(&args.out)?;
    use_threads(args.shared.threads)?;
    let models = Checkpoint::read(&args.model)?.models;
    let z = csr::read(&args.activations)?;
    let all: usize = models.iter().map(|m| m.sae.n_neurons()).sum();
    if z.neurons() != all {
        let (got, model) = (z.neurons(), args.model.display());
        let message = format!("its rows have {got} columns, and `{model}` has {all} neurons");
        return Err(Error::input(&args.activations, message).into());
    }
    let (model, first) = choose(&models, args.sae.as_deref())?;
    let shape = (z.rows(), model.sae.dim());
    let parts = (0..z.rows()).step_by(PART).map(|start| {
        let rows = start..z.rows().min(start + PART);
        model
            .sae
            .decode(&columns(&z, rows, first, model.sae.n_neurons()))
            .map_err(std::io::Error::other)
    });
    write_atomically(&args.out, |to| npy::write(&mut *to, shape, parts))?;
    show::written(&args.out, &[shape.0, shape.1], &[], args.shared.json)
}

/// The autoencoder asked for, and its first column.
fn choose<'a>(models: &'a [TrainedSae], id: Option<&str>) -> Result<(&'a TrainedSae, usize)> {
    let chosen = match (models, id) {
        ([only], None) => Some(only),
        (_, None) => None,
        (_, Some(id)) => models.iter().find(|m| m.id == id),
    };
    let Some(chosen) = chosen else {
        let ids: Vec<&str> = models.iter().map(|m| m.id.as_str()).collect();
        let hint = format!("there are {}: name one with `--sae`", ids.join(", "));
        let message = match id {
            Some(id) => format!("there is no autoencoder `{id}` in the file"),
            None => "the file has several autoencoders, and vectors come from one".into(),
        };
        return Err(Usage { message, hint }.into());
    };
    let before = models.iter().take_while(|m| m.id != chosen.id);
    Ok((chosen, before.map(|m| m.sae.n_neurons()).sum()))
}

/// Some rows, and of them the `m` columns from `first` on.
fn columns(z: &Activations, rows: std::ops::Range<usize>, first: usize, m: usize) -> Activations {
    let mut part = Activations::new(m);
    for i in rows {
        let here = z.pairs(i).filter(|(j, _)| (first..first + m).contains(j));
        part.push_row(here.map(|(j, v)| (u32::try_from(j - first).expect("a column fits"), v)));
    }
    part
}

fn health(args: &Health) -> Result<()> {
    use_threads(args.shared.threads)?;
    let mut models = Checkpoint::read(&args.model)?.models;
    let mut reconstructions = Vec::new();
    if let Some(file) = &args.vectors {
        let vectors = open(file, &models, &args.model)?;
        let judged = models.into_iter().map(|m| m.judged_again(&vectors));
        (models, reconstructions) = judged.collect::<hypothesaes::Result<_>>()?;
    }
    if let Some(file) = &args.neurons {
        is_free(file)?;
        let table = sae::neuron_table(&models);
        write_atomically(file, |to| csv::write(&table, &mut *to))?;
    }
    show::health(&models, &reconstructions, args.shared.json)
}

fn import(args: &Import) -> Result<()> {
    is_free(&args.out)?;
    use_threads(args.shared.threads)?;
    let checkpoint = sae::import_from(&args.file, &args.vectors)?;
    write_checkpoint(&checkpoint, &args.out)?;
    show::health(&checkpoint.models, &[], args.shared.json)
}

/// Vectors that the autoencoders of a file can be applied to.
fn open(file: &Path, models: &[TrainedSae], kept_in: &Path) -> Result<VectorFile> {
    let vectors = VectorFile::open(file)?;
    vectors.check_dim(models.first().map_or(0, |m| m.sae.dim()), kept_in)?;
    vectors.check_finite()?;
    Ok(vectors)
}

/// What was trained for hours is not overwritten by a slip.
fn is_free(out: &Path) -> Result<()> {
    if out.exists() {
        return Err(Usage {
            message: format!("`{}` is there already", out.display()),
            hint: "name another file, or remove this one".into(),
        }
        .into());
    }
    Ok(())
}
