//! Sparse autoencoders: traps by number, and laws.

use std::ops::ControlFlow;
use std::process::Command;

use hypothesaes_math::sae::{Event, Sae, TrainOptions, Trained, train, train_all};
use hypothesaes_math::{Activations, Error, Matrix, Rows, Subset, random};
use rand::RngExt;

/// `n` rows, each the sum of two of ten directions and some noise.
fn rows(n: usize, purpose: &str) -> Matrix {
    let d = 16;
    let mut stream = random::stream(5, purpose);
    let mut x = Matrix::zeros(n, d);
    for i in 0..n {
        let row = x.row_mut(i);
        row.fill_with(|| stream.random_range(-0.2..0.2));
        for _ in 0..2 {
            row[stream.random_range(0..10)] += stream.random_range(0.5..1.5);
        }
    }
    x
}

fn options(n_neurons: usize, k: usize) -> TrainOptions {
    TrainOptions { n_neurons, k, max_epochs: 40, ..TrainOptions::default() }
}

fn trained(x: &Matrix, validation: Option<&Matrix>, options: &TrainOptions) -> Trained {
    let validation = validation.map(|v| v as &dyn Rows);
    train(x, validation, options, &mut |_| ControlFlow::Continue(())).unwrap()
}

fn refusal(x: &Matrix, validation: Option<&Matrix>, options: &TrainOptions) -> String {
    let validation = validation.map(|v| v as &dyn Rows);
    let result = train(x, validation, options, &mut |_| ControlFlow::Continue(()));
    result.expect_err("a refusal").to_string()
}

fn on_threads<T: Send>(n: usize, run: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap().install(run)
}

/// Mean squared error by plain sums, in units of the training rows' variance.
fn plain_fvu(sae: &Sae, x: &Matrix) -> f64 {
    let reconstruction = sae.decode(&sae.encode(x).unwrap()).unwrap();
    let squares = x.data().iter().zip(reconstruction.data());
    let sum: f64 = squares.map(|(x, r)| (f64::from(*x) - f64::from(*r)).powi(2)).sum();
    sum / (x.rows() as f64 * sae.parts().variance)
}

#[test]
fn it_learns_what_the_rows_are_made_of() {
    let (x, validation) = (rows(600, "x"), rows(200, "validation"));
    let options = TrainOptions { max_epochs: 300, ..options(10, 2) };
    let Trained { sae, history, .. } = trained(&x, Some(&validation), &options);
    let fvu = sae.fvu(&validation).unwrap();
    assert!(fvu < 0.2, "two of ten directions explain all but the noise: {fvu}");
    assert!(fvu < 0.5 * history[0].validation_fvu.unwrap(), "training helps");
    let z = sae.encode(&x).unwrap();
    assert!(z.columns().iter().all(|(fired, _)| !fired.is_empty()), "every neuron fires");
}

#[test]
fn trap_01_any_number_of_rows_trains() {
    let finite = |trained: &Trained, what: &str| {
        let all = trained.history.iter().all(|e| e.train_loss.is_finite());
        assert!(all && trained.sae.parts().encoder.check_finite("").is_ok(), "{what}");
    };
    for n in [1, 2, 3, 4, 5, 17, 64, 65, 129] {
        let x = rows(n, "x");
        for batch_size in [None, Some(1), Some(4)] {
            let options = TrainOptions { batch_size, max_epochs: 5, ..options(8, 1) };
            finite(&trained(&x, Some(&x), &options), &format!("{n} rows, {batch_size:?}"));
            finite(&trained(&x, None, &options), &format!("{n} rows, no validation"));
        }
    }
    let equal = rows(1, "x").gather(&[0; 40]);
    let validation = rows(1, "validation");
    finite(&trained(&equal, Some(&validation), &options(8, 2)), "equal rows");
    finite(&trained(&Matrix::zeros(40, 6), None, &options(8, 2)), "rows of zeros");
}

#[test]
fn trap_01_a_loss_that_is_not_finite_names_epoch_and_step() {
    let options = TrainOptions { learning_rate: 1e6, batch_size: Some(10), ..options(8, 2) };
    let mut x = rows(30, "x");
    x.data_mut().iter_mut().for_each(|v| *v *= 1e18);
    let message = refusal(&x, None, &options);
    assert!(message.contains("epoch 1, step 2") && message.contains("learning_rate"), "{message}");
}

#[test]
fn trap_02_the_best_epoch_is_restored() {
    // Few rows and many neurons: the validation error soon rises.
    let (x, validation) = (rows(40, "x"), rows(40, "validation"));
    let options = TrainOptions { learning_rate: 0.02, patience: 6, ..options(32, 4) };
    let Trained { sae, history, best_epoch } = trained(&x, Some(&validation), &options);
    let best = history[best_epoch - 1].validation_fvu.unwrap();
    let last = history.last().unwrap();
    assert_eq!(last.epoch, best_epoch + 6, "training stops after `patience` epochs");
    assert!(last.validation_fvu.unwrap() > best, "the last epoch is worse");
    assert_eq!(sae.fvu(&validation).unwrap(), best);
    assert!(history.iter().all(|e| e.validation_fvu.unwrap() >= best));
}

/// More neurons than the rows can keep alive, most of them dead after a few epochs.
fn crowded() -> (Matrix, TrainOptions) {
    (rows(30, "x"), TrainOptions { dead_after: Some(60), ..options(200, 2) })
}

#[test]
fn trap_03_validation_is_reconstruction_alone() {
    let (x, crowded) = crowded();
    let options = TrainOptions { aux_coef: 100.0, max_epochs: 6, ..crowded };
    let Trained { sae, history, best_epoch } = trained(&x, Some(&x), &options);
    let best = &history[best_epoch - 1];
    let last = history.last().unwrap();
    assert!(last.n_dead > 50 && last.train_loss > 2.0 * last.train_fvu, "the aux-k term acts");
    let plain = plain_fvu(&sae, &x);
    assert!((best.validation_fvu.unwrap() - plain).abs() < 1e-6, "{best:?}, {plain}");
}

#[test]
fn trap_04_the_dead_clock_counts_training_rows_only() {
    let (x, crowded) = crowded();
    let options = TrainOptions { aux_coef: 0.0, max_epochs: 7, patience: 7, ..crowded };
    let validation = rows(500, "validation");
    let Trained { sae, best_epoch, .. } = trained(&x, Some(&validation), &options);
    let longest = sae.parts().silent_rows.iter().max().unwrap();
    assert_eq!(*longest, 30 * best_epoch as u64, "rows of the epochs up to the best one");
}

#[test]
fn trap_07_equal_seeds_give_equal_bits_whatever_the_threads() {
    let (x, crowded) = crowded();
    let cases =
        [(rows(300, "x"), TrainOptions { batch_size: Some(150), ..options(40, 4) }), (x, crowded)];
    for (x, options) in cases {
        let options = TrainOptions { max_epochs: 8, ..options };
        let run = |threads| on_threads(threads, || trained(&x, Some(&x), &options));
        let one = run(1);
        assert!(one == run(1), "the same run twice");
        assert!(one == run(2), "two threads");
        assert!(one == run(5), "five threads");
        let other = TrainOptions { seed: 1, ..options.clone() };
        assert!(one != trained(&x, Some(&x), &other), "another seed");
        let other = TrainOptions { label: "1".to_owned(), ..options.clone() };
        assert!(one != trained(&x, Some(&x), &other), "another label");
    }
}

#[test]
fn trap_08_bad_arguments_are_refused_at_the_door() {
    let x = rows(20, "x");
    let d = TrainOptions::default;
    let mut nan = rows(20, "x");
    nan.row_mut(3)[5] = f32::NAN;
    let check = |x: &Matrix, validation: Option<&Matrix>, options: TrainOptions, words: &[&str]| {
        let message = refusal(x, validation, &options);
        assert!(words.iter().all(|w| message.contains(w)), "{message}: {words:?}");
    };
    check(&x, None, options(4, 5), &["`k` is 5", "1 to 4"]);
    check(&x, None, options(4, 0), &["`k` is 0", "1 to 4"]);
    check(&x, None, options(0, 1), &["`n_neurons` is 0"]);
    check(&x, None, options(100_000, 1), &["`n_neurons` is 100000", "65536"]);
    check(&rows(3, "x"), None, options(8, 4), &["`k` is 4", "1 to 3", "rows"]);
    check(&nan, None, d(), &["training embeddings", "row 3, column 5"]);
    check(&x, Some(&nan), d(), &["validation embeddings", "row 3, column 5"]);
    check(&x, Some(&Matrix::zeros(2, 7)), d(), &["validation", "7", "16 expected"]);
    check(&x, Some(&Matrix::zeros(0, 16)), d(), &["validation", "no rows"]);
    check(&Matrix::zeros(0, 16), None, d(), &["0 rows"]);
    check(&Matrix::zeros(16, 0), None, d(), &["0 columns"]);
    check(&x, None, TrainOptions { batch_size: Some(0), ..d() }, &["`batch_size` is 0"]);
    check(&x, None, TrainOptions { max_epochs: 0, ..d() }, &["`max_epochs` is 0"]);
    check(&x, None, TrainOptions { patience: 0, ..d() }, &["`patience` is 0"]);
    check(&x, None, TrainOptions { dead_after: Some(0), ..d() }, &["`dead_after` is 0"]);
    check(&x, None, TrainOptions { aux_k: Some(65), ..d() }, &["`aux_k` is 65", "0 to 64"]);
    check(&x, None, TrainOptions { aux_coef: -1.0, ..d() }, &["`aux_coef` is -1"]);
    check(&x, None, TrainOptions { clip_norm: 0.0, ..d() }, &["`clip_norm` is 0"]);
    check(&x, None, TrainOptions { learning_rate: f32::NAN, ..d() }, &["`learning_rate` is NaN"]);
}

#[test]
fn trap_08_encoding_refuses_what_does_not_fit() {
    let Trained { sae, .. } = trained(&rows(30, "x"), None, &options(8, 2));
    assert!(matches!(sae.encode(&Matrix::zeros(2, 5)), Err(Error::Shape { got: 5, .. })));
    let mut nan = rows(4, "x");
    nan.row_mut(2)[1] = f32::INFINITY;
    assert!(matches!(sae.encode(&nan), Err(Error::NotFinite { row: 2, column: 1, .. })));
    assert!(sae.fvu(&Matrix::zeros(0, 16)).is_err());
    assert_eq!(sae.encode(&Matrix::zeros(0, 16)).unwrap().rows(), 0);
}

#[test]
fn trap_10_activations_are_never_dense() {
    // In a process of its own, as its memory is that of no other test.
    let mut alone = Command::new(std::env::current_exe().unwrap());
    alone.args(["--exact", "sae::encodes_many_rows", "--ignored"]);
    let done = alone.output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
#[ignore = "started by the test above"]
fn encodes_many_rows() {
    let (n, m) = (20_000, 16_384);
    let x = rows(n, "many").gather(&(0..n).collect::<Vec<_>>());
    let options = TrainOptions { max_epochs: 1, ..options(m, 3) };
    let Trained { sae, .. } = trained(&x.gather(&[0, 1, 2]), None, &options);
    let before = peak_kib();
    let z = sae.encode(&x).unwrap();
    assert_eq!((z.rows(), z.neurons()), (n, m));
    assert!((0..n).all(|i| z.row(i).0.len() <= 3) && z.len() > n);
    // Dense, the activations alone would be 1,280 MiB.
    if let (Some(before), Some(after)) = (before, peak_kib()) {
        assert!(after - before < 200 * 1024, "peak memory grew by {} KiB", after - before);
    }
}

/// Peak memory of this process, where the system tells.
fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[test]
fn a_rows_activations_do_not_depend_on_the_others() {
    let x = rows(150, "x");
    let Trained { sae, .. } = trained(&x, None, &options(40, 4));
    let all = sae.encode(&x).unwrap();
    for order in [vec![149], vec![70, 3], (0..150).rev().collect(), vec![5; 65]] {
        assert_eq!(sae.encode(&x.gather(&order)).unwrap(), all.gather(&order), "{order:?}");
    }
    assert_eq!(on_threads(3, || sae.encode(&x).unwrap()), all);
}

#[test]
fn reconstruction_and_unexplained_variance_agree() {
    let x = rows(150, "x");
    let Trained { sae, .. } = trained(&x, None, &options(12, 3));
    let (fvu, plain) = (sae.fvu(&x).unwrap(), plain_fvu(&sae, &x));
    assert!((fvu - plain).abs() < 1e-6, "{fvu} {plain}");
}

#[test]
fn what_is_said_of_reconstructions_equals_plain_sums() {
    let trained = trained(&rows(300, "x"), None, &options(10, 2)).sae;
    let mut parts = trained.parts().clone();
    parts.neuron_bias.fill(-0.2);
    let (sae, mut x) = (Sae::from_parts(parts).unwrap(), rows(70, "others"));
    // Nothing fires on the first; the second has no direction.
    x.row_mut(0).copy_from_slice(&sae.parts().input_bias);
    x.row_mut(1).fill(0.0);
    let (z, said) = (sae.encode(&x).unwrap(), sae.reconstruction(&x).unwrap());
    let again = sae.decode(&z).unwrap();
    let silent = (0..70).filter(|&i| z.row(i).0.is_empty()).count();
    assert!(silent > 0 && z.row(0).0.is_empty());
    assert_eq!((said.n_rows, said.n_silent), (70, silent));
    let product =
        |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum::<f64>();
    let cosine = |i: usize| {
        let (x, r) = (x.row(i), again.row(i));
        let lengths = (product(x, x) * product(r, r)).sqrt();
        if lengths > 0.0 { product(x, r) / lengths } else { 0.0 }
    };
    let near = |got: f64, wanted: f64| assert!((got - wanted).abs() < 1e-5, "{got}, not {wanted}");
    near(said.cosine, (0..70).map(cosine).sum::<f64>() / 70.0);
    near(said.mean_active, z.len() as f64 / 70.0);
    near(said.squared_error, plain_fvu(&sae, &x) * sae.parts().variance);
    near(said.fvu, plain_fvu(&sae, &x));
}

#[test]
fn the_observer_stops_training() {
    let x = rows(40, "x");
    let options = TrainOptions { batch_size: Some(10), ..options(8, 2) };
    let mut events = Vec::new();
    let mut observe = |event: Event<'_>| {
        events.push(match event {
            Event::Step { epoch, done, steps, .. } => format!("{epoch} {done}/{steps}"),
            Event::Epoch { state, .. } => format!("{} end", state.history.len()),
        });
        if events.len() == 7 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    assert_eq!(train(&x, None, &options, &mut observe), Err(Error::Stopped));
    assert_eq!(events, ["1 1/4", "1 2/4", "1 3/4", "1 4/4", "1 end", "2 1/4", "2 2/4"]);
}

#[test]
fn parts_that_do_not_fit_are_refused() {
    let Trained { sae, .. } = trained(&rows(30, "x"), None, &options(8, 2));
    let parts = sae.parts().clone();
    assert_eq!(Sae::from_parts(parts.clone()).unwrap(), sae);
    let refused = |change: &dyn Fn(&mut hypothesaes_math::sae::Parts), words: &str| {
        let mut parts = parts.clone();
        change(&mut parts);
        let message = Sae::from_parts(parts).unwrap_err().to_string();
        assert!(message.contains(words), "{message}");
    };
    refused(&|p| p.decoder = Matrix::zeros(7, 16), "rows of the decoder");
    refused(&|p| p.decoder = Matrix::zeros(8, 15), "columns of the decoder");
    refused(&|p| p.input_bias.truncate(3), "input bias");
    refused(&|p| p.neuron_bias.truncate(3), "neuron bias");
    refused(&|p| p.silent_rows.truncate(3), "silent rows");
    refused(&|p| p.k = 9, "`k` is 9");
    refused(&|p| p.variance = 0.0, "`variance` is 0");
    refused(&|p| p.encoder.row_mut(1)[2] = f32::NAN, "`encoder` has a value that is not finite");
    refused(&|p| p.neuron_bias[2] = f32::NAN, "`neuron bias`");
}

#[test]
fn trap_05_batch_top_k_is_as_sparse_by_threshold_as_asked() {
    for n in [60, 400] {
        let (x, held_out) = (rows(n, "trap 5"), rows(100, "trap 5, held out"));
        let options = TrainOptions { batch_top_k: true, ..options(24, 3) };
        let model = trained(&x, Some(&held_out), &options);
        let mean = |x: &Matrix| model.sae.encode(x).unwrap().len() as f64 / x.rows() as f64;
        assert!((mean(&x) - 3.0).abs() < 0.15, "{n} rows: {} active", mean(&x));
    }
}

#[test]
fn prefixes_reconstruct_by_themselves() {
    let x = rows(400, "prefixes");
    let first = |sae: &Sae| {
        let z = sae.encode(&x).unwrap();
        let mut left = 0.0;
        for i in 0..x.rows() {
            let mut row = sae.parts().input_bias.clone();
            for (j, v) in z.pairs(i).filter(|&(j, _)| j < 6) {
                row.iter_mut().zip(sae.parts().decoder.row(j)).for_each(|(r, w)| *r += v * w);
            }
            let squares = row.iter().zip(x.row(i)).map(|(r, x)| f64::from(r - x).powi(2));
            left += squares.sum::<f64>();
        }
        left / (x.rows() as f64 * sae.parts().variance)
    };
    let long = TrainOptions { max_epochs: 300, ..options(24, 3) };
    let plain = trained(&x, None, &long);
    let nested = trained(&x, None, &TrainOptions { prefixes: vec![6, 24], ..long });
    let (plain, nested) = (first(&plain.sae), first(&nested.sae));
    assert!(nested < 0.9 * plain, "{nested} with prefixes, {plain} without");
}

#[test]
fn trap_07_every_kind_of_training_gives_equal_bits_whatever_the_threads() {
    let x = rows(300, "kinds");
    let kind = |batch_top_k, prefixes: &[usize], multi_k| TrainOptions {
        batch_top_k,
        prefixes: prefixes.to_vec(),
        multi_k,
        multi_coef: 0.125,
        max_epochs: 6,
        warmup: 0.1,
        decay: 0.2,
        clip_norm: 0.05,
        ..options(24, 3)
    };
    for options in
        [kind(true, &[], Some(6)), kind(false, &[6, 24], None), kind(true, &[6, 24], None)]
    {
        let on = |n| on_threads(n, || trained(&x, None, &options));
        let expected = on(1);
        assert!([2, 8].into_iter().all(|n| on(n) == expected));
    }
}

/// Rows that are copied out, as from a file.
struct Copied<'a>(&'a Matrix);

impl Rows for Copied<'_> {
    fn n_rows(&self) -> usize {
        self.0.rows()
    }

    fn dim(&self) -> usize {
        self.0.cols()
    }

    fn fetch<'a>(
        &'a self,
        index: &[usize],
        buffer: &'a mut Vec<f32>,
    ) -> hypothesaes_math::Result<Vec<&'a [f32]>> {
        assert!(index.is_sorted_by(|a, b| a < b), "rows rise");
        *buffer = self.0.gather(index).into_vec();
        Ok(buffer.chunks_exact(self.0.cols()).collect())
    }
}

/// Rows so long that a window holds 1,024 of them.
fn long_rows() -> Matrix {
    let (n, d) = (2_500, 16_384);
    let x = rows(n, "x");
    let mut long = Matrix::zeros(n, d);
    for i in 0..n {
        long.row_mut(i)[..16].copy_from_slice(x.row(i));
    }
    long
}

#[test]
fn rows_that_are_read_give_the_bytes_of_rows_in_memory() {
    let x = long_rows();
    let options = TrainOptions { max_epochs: 2, batch_top_k: true, ..options(8, 2) };
    let (discover, validation): (Vec<_>, Vec<_>) = (0..x.rows()).partition(|i| i % 9 > 0);
    let train_on = |x: &dyn Rows| {
        let discover = Subset::new(x, discover.clone()).unwrap();
        let validation = Subset::new(x, validation.clone()).unwrap();
        train(&discover, Some(&validation), &options, &mut |_| ControlFlow::Continue(())).unwrap()
    };
    let in_memory = train_on(&x);
    assert!(in_memory == train_on(&Copied(&x)));
    assert!(in_memory == on_threads(3, || train_on(&Copied(&x))));
    let z = in_memory.sae.encode(&x).unwrap();
    let copied = Copied(&x);
    let parts = in_memory.sae.encode_in_parts(&copied, 700).unwrap();
    let parts: Vec<_> = parts.map(Result::unwrap).collect();
    assert_eq!(parts.iter().map(Activations::rows).collect::<Vec<_>>(), [700, 700, 700, 400]);
    let pairs =
        |z: &Activations| (0..z.rows()).map(|i| z.pairs(i).collect()).collect::<Vec<Vec<_>>>();
    assert_eq!(parts.iter().flat_map(pairs).collect::<Vec<_>>(), pairs(&z));
}

#[test]
fn several_from_one_reading_are_what_each_is_alone() {
    let x = rows(300, "x");
    let all = [
        options(8, 2),
        TrainOptions { label: "1".to_owned(), batch_size: Some(40), patience: 2, ..options(12, 3) },
        TrainOptions { label: "2".to_owned(), prefixes: vec![4, 20], ..options(20, 3) },
    ];
    let go_on = &mut |_: Event<'_>| ControlFlow::Continue(());
    let together = train_all(&x, Some(&x), &all, vec![None; 3], go_on).unwrap();
    for (options, trained_together) in all.iter().zip(&together) {
        assert!(trained(&x, Some(&x), options) == *trained_together, "{}", options.label);
    }
}

#[test]
fn training_goes_on_from_a_state_to_the_same_bytes() {
    let x = rows(300, "x");
    let all = [
        TrainOptions {
            batch_top_k: true,
            warmup: 0.2,
            decay: 0.3,
            max_epochs: 9,
            ..options(20, 3)
        },
        TrainOptions { label: "1".to_owned(), max_epochs: 9, patience: 3, ..options(8, 2) },
    ];
    let go_on = &mut |_: Event<'_>| ControlFlow::Continue(());
    let whole = train_all(&x, Some(&x), &all, vec![None; 2], go_on).unwrap();
    // The first is three epochs ahead of the second when the training ends.
    let mut states = vec![None; 2];
    let mut stop = |event: Event<'_>| {
        if let Event::Epoch { sae, state } = event
            && state.history.len() <= 5 - 3 * sae
        {
            states[sae] = Some(state.clone());
        }
        if matches!(event, Event::Step { epoch: 7, .. }) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    assert_eq!(train_all(&x, Some(&x), &all, vec![None; 2], &mut stop), Err(Error::Stopped));
    assert!(train_all(&x, Some(&x), &all, states.clone(), go_on).unwrap() == whole);
    states.swap(0, 1);
    let message = train_all(&x, Some(&x), &all, states, go_on).unwrap_err().to_string();
    assert!(message.contains("neurons of the checkpoint"), "{message}");
}
