use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use hypothesaes_math::{Matrix, random};
use rand::RngExt;

use super::*;
use crate::Error;
use crate::table::Values;
use crate::watch::Unwatched;

/// Texts about one of six topics each, with noise.
fn texts(n: usize, purpose: &str) -> Matrix {
    let mut stream = random::stream(7, purpose);
    let mut x = Matrix::zeros(n, 12);
    for i in 0..n {
        let row = x.row_mut(i);
        row.fill_with(|| stream.random_range(-0.1..0.1));
        row[i % 6] += 1.0;
    }
    x
}

fn options(sizes: &[&str]) -> SaeOptions {
    let sizes = sizes.iter().map(|s| s.parse().unwrap()).collect();
    SaeOptions { sizes, max_epochs: 12, ..SaeOptions::default() }
}

fn trained(sizes: &[&str]) -> Vec<TrainedSae> {
    let (discover, validation) = (texts(90, "discover"), texts(30, "validation"));
    train(&discover, &validation, &options(sizes), 3, None, &Unwatched).unwrap()
}

fn checkpoint() -> Checkpoint {
    Checkpoint {
        models: trained(&["8:2", "6:1"]),
        options: options(&["8:2", "6:1"]),
        seed: 3,
        data_hash: "abc".into(),
        trainer_version: TRAINER_VERSION,
    }
}

fn bytes_of(checkpoint: &Checkpoint) -> Vec<u8> {
    let mut bytes = Vec::new();
    checkpoint.write(&mut bytes).unwrap();
    bytes
}

fn read(bytes: &[u8]) -> Result<Checkpoint> {
    Checkpoint::from_bytes(Path::new("model.safetensors"), bytes)
}

#[test]
fn several_stand_side_by_side() {
    let models = trained(&["8:2", "6:1", "8:2"]);
    let ids: Vec<&str> = models.iter().map(|m| m.id.as_str()).collect();
    assert_eq!(ids, ["8:2", "6:1", "8:2#2"]);
    assert_ne!(models[0].sae, models[2].sae, "equal sizes start at other random numbers");
    let x = texts(20, "new");
    let z = encode(&models, &x).unwrap();
    assert_eq!((z.rows(), z.neurons()), (20, 22));
    let second = models[1].sae.encode(&x).unwrap();
    for i in 0..20 {
        let expected: Vec<_> = second.pairs(i).map(|(j, v)| (j + 8, v)).collect();
        let got: Vec<_> = z.pairs(i).filter(|(j, _)| (8..14).contains(j)).collect();
        assert_eq!(got, expected, "text {i}");
    }
    let sources = [0, 7, 8, 13, 14, 21, 22].map(|j| sae_id(&models, j));
    let expected = ["8:2", "8:2", "6:1", "6:1", "8:2#2", "8:2#2"].map(Some);
    assert_eq!(sources[..6], expected);
    assert_eq!(sources[6], None);
}

#[test]
fn tables_tell_of_every_epoch_and_autoencoder() {
    let models = trained(&["8:2", "6:1"]);
    let (training, saes) = (training_table(&models), sae_table(&models));
    assert_eq!(training.rows(), models.iter().map(|m| m.history.len()).sum::<usize>());
    assert_eq!(saes.rows(), 2);
    let flags = &training.column("is_best").unwrap().values;
    let Values::Flag(flags) = flags else { panic!("{flags:?}") };
    assert_eq!(flags.iter().filter(|f| **f == Some(true)).count(), 2, "one best epoch each");
    let fvu = |table: &crate::table::Table, name, row: usize| {
        let Values::Number(values) = &table.column(name).unwrap().values else { panic!("{name}") };
        values[row].unwrap()
    };
    let best = models[0].best_epoch - 1;
    assert_eq!(fvu(&training, "validation_fvu", best), fvu(&saes, "fvu_validation", 0));
    for column in training.columns.iter().chain(&saes.columns) {
        assert_eq!(column.values.len().min(2), 2, "{}", column.name);
        assert!(!column.description.is_empty() && column.name.len() <= 32, "{}", column.name);
    }
}

#[test]
fn without_validation_texts_it_trains_by_the_discover_texts() {
    let none = Matrix::zeros(0, 12);
    let models =
        train(&texts(50, "discover"), &none, &options(&["6:1"]), 0, None, &Unwatched).unwrap();
    assert_eq!(models[0].quality.fvu_validation, None);
    assert!(models[0].history.iter().all(|e| e.validation_fvu.is_none()));
}

#[test]
fn trap_08_more_active_neurons_than_texts_are_refused() {
    let few = texts(3, "discover");
    let refused =
        train(&few, &few, &options(&["8:4"]), 0, None, &Unwatched).unwrap_err().to_string();
    assert!(refused.contains("`sae.sizes` is `8:4`: `k` is 4, allowed: 1 to 3"), "{refused}");
}

#[test]
fn an_interrupt_stops_training_within_the_epoch() {
    struct Impatient(AtomicU64);
    impl Watch for Impatient {
        fn begin(&self, _: &'static str, _: u64, _: &'static str) {}
        fn advance(&self, done: u64) {
            self.0.fetch_add(done, Ordering::Relaxed);
        }
        fn say(&self, _: &str) {}
        fn end(&self, _: &str) {}
        fn interrupted(&self) -> bool {
            self.0.load(Ordering::Relaxed) >= 2
        }
    }
    let (x, watch) = (texts(60, "discover"), Impatient(AtomicU64::new(0)));
    let stopped = train(&x, &x, &options(&["8:2"]), 0, None, &watch);
    assert!(matches!(stopped, Err(Error::Interrupted)), "{stopped:?}");
    assert_eq!(watch.0.into_inner(), 2, "no epoch after the interrupt");
}

#[test]
fn checkpoints_come_back_as_they_were() {
    let checkpoint = checkpoint();
    let bytes = bytes_of(&checkpoint);
    assert_eq!(read(&bytes).unwrap(), checkpoint);
    assert_eq!(bytes_of(&read(&bytes).unwrap()), bytes);
}

#[test]
fn trap_04_the_dead_clock_is_saved_with_the_model() {
    let mut checkpoint = checkpoint();
    let mut parts = checkpoint.models[0].sae.parts().clone();
    parts.silent_rows = (100..108).collect();
    checkpoint.models[0].sae = Sae::from_parts(parts).unwrap();
    let back = read(&bytes_of(&checkpoint)).unwrap();
    assert_eq!(back.models[0].sae.parts().silent_rows, (100..108).collect::<Vec<u64>>());
}

#[test]
fn trap_07_equal_seeds_give_equal_bytes_whatever_the_threads() {
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| bytes_of(&checkpoint()))
    };
    let bytes = on(1);
    assert!(bytes == on(1), "the same run twice");
    assert!(bytes == on(3), "three threads");
}

#[test]
fn trap_09_damaged_checkpoints_are_refused() {
    let bytes = bytes_of(&checkpoint());
    let refused = |bytes: &[u8], what: &str| {
        let message = read(bytes).expect_err(what).to_string();
        assert!(message.contains("`model.safetensors`"), "{what}: {message}");
        assert!(message.contains("damaged"), "{what}: {message}");
    };
    refused(b"", "empty");
    refused(b"\x80\x02}q\x00.", "a pickle");
    refused(&[0xff; 100], "an absurd header length");
    for keep in [4, 100, bytes.len() / 2, bytes.len() - 1] {
        refused(&bytes[..keep], "cut short");
    }
    refused(&[&bytes[..], b"x"].concat(), "a byte too many");
    // One flipped bit anywhere: header length, metadata, weights, checksum.
    for at in (0..bytes.len()).step_by(37) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1;
        refused(&flipped, &format!("bit flipped in byte {at}"));
    }
}

#[test]
fn a_newer_format_is_told_apart_from_damage() {
    let bytes = bytes_of(&checkpoint());
    let format = br#"\"format\":3"#;
    let at = bytes.windows(format.len()).position(|window| window == format);
    let at = at.expect("the format is in the header");
    let mut newer = bytes.clone();
    newer[at + format.len() - 1] = b'7';
    let message = read(&newer).unwrap_err().to_string();
    assert!(message.contains("format 7"), "{message}");
}

#[test]
fn stability_tells_which_neurons_a_second_training_finds() {
    let (discover, validation) = (texts(300, "discover"), texts(100, "validation"));
    let options = SaeOptions { stability: true, max_epochs: 150, ..options(&["6:1", "20:1"]) };
    let models = train(&discover, &validation, &options, 3, None, &Unwatched).unwrap();
    let plain = SaeOptions { stability: false, ..options };
    let alone = train(&discover, &validation, &plain, 3, None, &Unwatched).unwrap();
    for (model, alone) in models.iter().zip(&alone) {
        assert_eq!(model.sae, alone.sae, "the twin changes nothing");
        assert_eq!(alone.health.stability, None);
    }
    let stability = |model: &TrainedSae| model.health.stability.unwrap();
    assert_eq!(stability(&models[0]), 1.0, "six topics, six neurons");
    let table = neuron_table(&models);
    assert_eq!(table.rows(), 26);
    let Values::Number(twins) = &table.column("twin_cosine").unwrap().values else { panic!() };
    assert!(twins.iter().all(Option::is_some));
}
