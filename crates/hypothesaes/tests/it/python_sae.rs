//! Autoencoders that the Python package saved: `scripts/golden/sae_checkpoint.py` made them.

use std::path::{Path, PathBuf};

use hypothesaes::sae::{import, import_bytes};
use hypothesaes_math::{Activations, Matrix};
use serde_json::Value;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn rows(value: &Value) -> Vec<Vec<f32>> {
    serde_json::from_value(value.clone()).unwrap()
}

fn check(kind: &str) -> hypothesaes::sae::SaeOptions {
    let fixture = std::fs::read_to_string(golden("sae_checkpoint.json")).unwrap();
    let fixture: Value = serde_json::from_str(&fixture).unwrap();
    let x = rows(&fixture["x"]);
    let x = Matrix::from_vec(x.len(), x[0].len(), x.concat()).unwrap();
    let expected = Activations::from_dense(12, &rows(&fixture["activations"][kind])).unwrap();
    let (sae, options) = import(&golden(&format!("sae_{kind}.pt")), 1.0).unwrap();
    let z = sae.encode(&x).unwrap();
    assert!(!z.is_empty());
    for i in 0..z.rows() {
        assert_eq!(z.row(i).0, expected.row(i).0, "row {i}");
        for ((_, got), (_, wanted)) in z.pairs(i).zip(expected.pairs(i)) {
            assert!((got - wanted).abs() < 1e-5, "row {i}: {got}, {wanted} expected");
        }
    }
    options
}

#[test]
fn trap_09_the_packages_autoencoders_are_read_without_running_them() {
    let options = check("plain");
    assert_eq!(options.sizes, ["12:3".parse().unwrap()]);
    assert!(!options.batch_top_k && options.prefixes.is_empty());
    let options = check("batch_top_k");
    assert!(options.batch_top_k);
    assert_eq!((options.prefixes, options.multi_k), (vec![4, 12], Some(5)));
}

#[test]
fn other_files_are_refused_in_words() {
    let bytes = std::fs::read(golden("sae_plain.pt")).unwrap();
    let refused = |bytes: &[u8], words: &str| {
        let message = import_bytes(bytes, 1.0).unwrap_err();
        assert!(message.contains(words), "{message}");
    };
    refused(&bytes[..bytes.len() / 2], "");
    refused(b"\x80\x02}q\x00.", "torch before 1.6");
    let named = |old: &[u8], new: &[u8]| {
        let at: Vec<usize> =
            (0..bytes.len() - old.len()).filter(|&i| bytes[i..].starts_with(old)).collect();
        let mut changed = bytes.clone();
        for i in at {
            changed[i..i + old.len()].copy_from_slice(new);
        }
        changed
    };
    // The zip's own checksum sees a changed pickle before it is read.
    refused(&named(b"k_active_neurons", b"k_actors_neurons"), "data.pkl");
    let missing = import(&golden("sae_none.pt"), 1.0).unwrap_err().to_string();
    assert!(missing.contains("sae_none.pt"), "{missing}");
}
