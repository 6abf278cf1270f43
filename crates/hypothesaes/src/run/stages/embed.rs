//! `embed`: a vector for every text, by an embedder fitted on the discover texts alone.

use hypothesaes_math::Matrix;

use crate::Result;
use crate::data::{Dataset, Split};
use crate::embed;
use crate::run::Context;
use crate::store::{Stage, vectors};

pub(crate) const EMBEDDINGS: &str = "embed/embeddings.safetensors";

pub(crate) fn embed(context: &mut Context, data: &Dataset) -> Result<Matrix> {
    let identity = context.identity(Stage::Embed);
    let Context { run, options, watch, models, .. } = context;
    let (options, watch, models) = (*options, *watch, *models);
    run.stage(
        Stage::Embed,
        identity,
        watch,
        |out| {
            let discover = data.texts.gather(&data.texts_in(Split::Discover));
            let embedder = embed::fit(&discover, &options.embed, models, options.seed, watch)?;
            let (x, lacking) = embed::embed(&*embedder, &data.texts, options.embed.chunk, watch)?;
            vectors::write(out, EMBEDDINGS, &x, &embedder.id())?;
            out.lacks(lacking);
            Ok(x)
        },
        |folder| vectors::read(folder, EMBEDDINGS),
    )
}
