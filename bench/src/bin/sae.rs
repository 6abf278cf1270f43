//! Seconds per epoch of autoencoder training, printed as one JSON line.
//!
//! Usage: `sae FILE.npy NEURONS:K EPOCHS [--batch-top-k] [--prefixes 64,256,1024] [--streamed]
//! [--seed N] [--patience N]`. The first tenth of the rows validates; streamed: they are read from
//! the file as they are wanted. Without `--patience` all epochs are trained.

use std::ops::ControlFlow;
use std::time::Instant;

use hypothesaes::tensors::VectorFile;
use hypothesaes_math::sae::{Event, TrainOptions, train};
use hypothesaes_math::{LargePages, Rows, Subset};

/// As in the program.
#[global_allocator]
static ALLOCATOR: LargePages = LargePages;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, size, epochs, flags @ ..] = arguments.as_slice() else {
        return Err("usage: sae FILE.npy NEURONS:K EPOCHS [FLAGS], see the source".into());
    };
    let (n_neurons, k) = size.split_once(':').ok_or("the size is NEURONS:K")?;
    let value = |flag: &str| flags.iter().skip_while(|f| *f != flag).nth(1);
    let prefixes = value("--prefixes")
        .map_or(Ok(Vec::new()), |list| list.split(',').map(str::parse).collect());
    let options = TrainOptions {
        n_neurons: n_neurons.parse()?,
        k: k.parse()?,
        batch_top_k: flags.iter().any(|f| f == "--batch-top-k"),
        prefixes: prefixes?,
        max_epochs: epochs.parse()?,
        patience: value("--patience").map_or(Ok(usize::MAX), |n| n.parse())?,
        seed: value("--seed").map_or(Ok(0), |n| n.parse())?,
        learning_rate: 5e-4,
        dead_after: Some(131_072),
        ..TrainOptions::default()
    };
    let file = VectorFile::open(file.as_ref())?;
    let loaded;
    let x: &dyn Rows = if flags.iter().any(|f| f == "--streamed") {
        &file
    } else {
        loaded = file.load()?;
        &loaded
    };
    let tenth = x.n_rows() / 10;
    let validation = Subset::new(x, (0..tenth).collect())?;
    let discover = Subset::new(x, (tenth..x.n_rows()).collect())?;
    let (start, mut last, mut seconds) = (Instant::now(), Instant::now(), Vec::new());
    let trained = train(&discover, Some(&validation), &options, &mut |event| {
        if let Event::Epoch { .. } = event {
            seconds.push(last.elapsed().as_secs_f64());
            last = Instant::now();
        }
        ControlFlow::Continue(())
    })?;
    let whole = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let active = trained.sae.encode(&discover)?.len() as f64 / discover.n_rows() as f64;
    let encode = discover.n_rows() as f64 / start.elapsed().as_secs_f64();
    seconds.sort_by(f64::total_cmp);
    println!(
        "{{\"epochs\":{},\"epoch_s\":{:.4},\"fit_s\":{whole:.3},\"fvu\":{:.5},\"encode_rows_s\":{encode:.0},\"active\":{active:.3},\"dead\":{}}}",
        trained.history.len(),
        seconds[seconds.len() / 2],
        trained.sae.fvu(&validation)?,
        trained.history.last().map_or(0, |e| e.n_dead),
    );
    Ok(())
}
