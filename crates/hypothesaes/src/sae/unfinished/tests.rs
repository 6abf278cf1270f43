use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use hypothesaes_math::Matrix;

use super::super::{SaeOptions, TrainedSae, train};
use super::*;
use crate::watch::{Unwatched, Watch};

/// Asks to stop after so many epochs; hears what is said.
struct Impatient {
    left: AtomicU64,
    said: Mutex<String>,
}

impl Watch for Impatient {
    fn begin(&self, _: &'static str, _: u64, _: &'static str) {}
    fn advance(&self, _: u64) {
        self.left.fetch_sub(1, Ordering::Relaxed);
    }
    fn say(&self, what: &str) {
        self.said.lock().unwrap().push_str(what);
    }
    fn end(&self, _: &str) {}
    fn interrupted(&self) -> bool {
        self.left.load(Ordering::Relaxed) == 0
    }
}

fn texts() -> Matrix {
    let wave = |i: usize| ((i * i) as f32 * 0.01).sin() + f32::from(u8::from(i.is_multiple_of(7)));
    Matrix::from_vec(90, 12, (0..90 * 12).map(wave).collect()).unwrap()
}

fn options() -> SaeOptions {
    let sizes = ["8:2", "6:1"].map(|s| s.parse().unwrap()).into();
    SaeOptions { sizes, max_epochs: 12, ..SaeOptions::default() }
}

fn place(folder: &Path, data_hash: &str) -> Unfinished {
    Unfinished::new(&folder.join("sae"), data_hash).after_every_epoch()
}

fn trained(place: Option<&Unfinished>, watch: &dyn Watch) -> Result<Vec<TrainedSae>> {
    train(&texts(), &texts(), &options(), 3, place, watch)
}

#[test]
fn a_stopped_training_goes_on_to_the_same_weights() {
    let folder = tempfile::tempdir().unwrap();
    let place = place(folder.path(), "abc");
    let whole = trained(None, &Unwatched).unwrap();
    // One event in eleven epochs of each ends in the middle of an epoch of both.
    for epochs in [1, 4, 7] {
        let watch = Impatient { left: AtomicU64::new(epochs), said: Mutex::default() };
        assert!(matches!(trained(Some(&place), &watch), Err(Error::Interrupted)), "{epochs}");
    }
    let watch = Impatient { left: AtomicU64::new(1_000), said: Mutex::default() };
    assert!(trained(Some(&place), &watch).unwrap() == whole);
    let said = watch.said.into_inner().unwrap();
    assert!(said.contains("autoencoder 8:2: going on after epoch "), "{said}");
    place.remove(2).unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    place.remove(2).unwrap();
}

#[test]
fn other_data_options_or_damage_start_anew() {
    let folder = tempfile::tempdir().unwrap();
    let here = place(folder.path(), "abc");
    let watch = Impatient { left: AtomicU64::new(4), said: Mutex::default() };
    trained(Some(&here), &watch).unwrap_err();
    let trainer = options().for_trainer("8:2".parse().unwrap(), 0, 3);
    assert_eq!(here.load(0, &trainer).unwrap().history.len(), 2);
    assert_eq!(here.load(1, &trainer), None, "another autoencoder");
    assert_eq!(here.load(2, &trainer), None, "no file");
    assert_eq!(place(folder.path(), "abd").load(0, &trainer), None, "other data");
    assert_eq!(here.load(0, &TrainOptions { seed: 4, ..trainer.clone() }), None, "another seed");
    let path = folder.path().join("sae-0.part");
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() - 9]).unwrap();
    assert_eq!(here.load(0, &trainer), None, "cut short");
}

#[test]
fn what_cannot_be_saved_is_an_error_that_names_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let message = trained(Some(&place(&file, "abc")), &Unwatched).unwrap_err().to_string();
    assert!(message.contains("file"), "{message}");
}
