//! Models that are broken or of no known kind, texts that nobody expects, any number of threads.

use std::fs;
use std::path::Path;

use hypothesaes_encoder::{Encoder, EncoderOptions, Error};
use safetensors::SafeTensors;
use serde_json::Value;
use tempfile::TempDir;

use crate::parity::{folder, vectors};

/// A copy of a model, to be broken.
fn copy(name: &str) -> TempDir {
    let to = tempfile::tempdir().unwrap();
    copy_into(&folder(name), to.path());
    to
}

fn copy_into(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            fs::create_dir(&target).unwrap();
            copy_into(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

fn refusal(folder: &Path) -> String {
    match Encoder::open(folder, &EncoderOptions::default()) {
        Ok(_) => panic!("opened"),
        Err(error) => error.to_string(),
    }
}

fn edit(file: &Path, change: impl FnOnce(&mut Value)) {
    let mut value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    change(&mut value);
    fs::write(file, value.to_string()).unwrap();
}

#[test]
fn weights_cut_short_are_refused() {
    let model = copy("bert-mean");
    let file = model.path().join("model.safetensors");
    let whole = fs::read(&file).unwrap();
    for length in [0, 7, 8, 100, whole.len() / 2, whole.len() - 1] {
        fs::write(&file, &whole[..length]).unwrap();
        let found = refusal(model.path());
        assert!(found.contains("model.safetensors`: "), "{length}: {found}");
    }
    fs::write(&file, vec![255; 5000]).unwrap();
    assert!(refusal(model.path()).contains("no safetensors file"));
    fs::remove_file(&file).unwrap();
    assert!(refusal(model.path()).contains("there is no such file"));
    fs::write(model.path().join("pytorch_model.bin"), "x").unwrap();
    assert!(refusal(model.path()).contains("as a pickle"));
}

#[test]
fn parts_that_do_not_fit_are_refused() {
    let model = copy("bert-mean");
    edit(&model.path().join("config.json"), |c| c["hidden_size"] = 64.into());
    assert!(refusal(model.path()).contains("as config.json has it"));

    let model = copy("bert-mean");
    edit(&model.path().join("config.json"), |c| c["num_attention_heads"] = 5.into());
    assert!(refusal(model.path()).contains("do not share"));

    let model = copy("bert-mean");
    edit(&model.path().join("tokenizer.json"), |t| {
        t["model"]["vocab"]["an addition"] = 100_000.into();
    });
    assert!(refusal(model.path()).contains("do not belong together"));

    let model = copy("bert-mean");
    fs::write(model.path().join("tokenizer.json"), "{}").unwrap();
    assert!(refusal(model.path()).contains("no tokenizer"));
    fs::remove_file(model.path().join("tokenizer.json")).unwrap();
    assert!(refusal(model.path()).contains("tokenizer.json"));

    let model = copy("bert-dense");
    edit(&model.path().join("modules.json"), |m| m[2]["type"] = "x.Unheard".into());
    assert!(refusal(model.path()).contains("`Unheard`"));
}

#[test]
fn kinds_that_are_not_known_are_named_with_those_that_are() {
    let model = copy("bert-mean");
    edit(&model.path().join("config.json"), |c| c["model_type"] = "t5".into());
    let Err(Error::Unknown { kind, known, .. }) =
        Encoder::open(model.path(), &EncoderOptions::default())
    else {
        panic!("known");
    };
    assert_eq!(kind, "t5");
    assert!(known.contains(&"modernbert") && known.contains(&"xlm-roberta"));
}

#[test]
fn texts_that_nobody_expects_have_vectors() {
    let long = "word \u{1F600} ".repeat(200_000);
    let texts = ["", " ", "\0", "<|endoftext|>", "[CLS]", "\u{202e}back", &long];
    for name in ["bert-mean", "modernbert", "xlm-roberta", "roberta", "static-model2vec"] {
        let encoder = Encoder::open(&folder(name), &EncoderOptions::default()).unwrap();
        for vector in vectors(&encoder, &texts) {
            assert!(
                vector.len() == encoder.dim() && vector.iter().all(|v| v.is_finite()),
                "{name}"
            );
        }
    }
}

#[test]
fn threads_and_neighbours_change_nothing() {
    let encoder = Encoder::open(&folder("mpnet"), &EncoderOptions::default()).unwrap();
    let texts: Vec<String> =
        (0..300).map(|i| "good soup, slow staff. ".repeat(i % 7 + 1)).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| vectors(&encoder, &texts))
    };
    let one = with(1);
    assert_eq!(one, with(3));
    assert_eq!(vectors(&encoder, &texts[5..6]), one[5..6]);
}

#[test]
fn whoever_is_given_vectors_can_stop() {
    let encoder = Encoder::open(&folder("bert-mean"), &EncoderOptions::default()).unwrap();
    let texts = vec!["a text like any other"; 5000];
    let mut seen = 0;
    let stopped = encoder.encode(&texts, |_, _| {
        seen += 1;
        if seen < 10 {
            Ok(())
        } else {
            Err(Error::Unknown { path: "x".into(), kind: "stop".into(), known: vec![] })
        }
    });
    assert!(stopped.is_err() && seen == 10, "{seen}");
}

#[test]
fn first_numbers_are_vectors_of_length_1() {
    let options = EncoderOptions { dimensions: Some(8), ..EncoderOptions::default() };
    let encoder = Encoder::open(&folder("bert-mean"), &options).unwrap();
    let found = vectors(&encoder, &["soup"]);
    let length: f32 = found[0].iter().map(|v| v * v).sum();
    assert!(found[0].len() == 8 && (length - 1.0).abs() < 1e-5, "{found:?}");
    let options = EncoderOptions { dimensions: Some(1000), ..options };
    assert!(Encoder::open(&folder("bert-mean"), &options).is_err());
}

#[test]
fn weights_in_several_files_are_one_model() {
    let model = copy("bert-mean");
    let file = model.path().join("model.safetensors");
    let bytes = fs::read(&file).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let mut names: Vec<&str> = tensors.names();
    names.sort_unstable();
    let mut index = serde_json::Map::new();
    for (part, names) in names.chunks(names.len().div_ceil(3)).enumerate() {
        let name = format!("model-{part}-of-3.safetensors");
        let part = names.iter().map(|name| (*name, tensors.tensor(name).unwrap()));
        safetensors::serialize_to_file(part, None, &model.path().join(&name)).unwrap();
        index.extend(names.iter().map(|tensor| ((*tensor).to_owned(), name.clone().into())));
    }
    fs::remove_file(&file).unwrap();
    let listed = model.path().join("model.safetensors.index.json");
    fs::write(&listed, serde_json::json!({ "weight_map": index }).to_string()).unwrap();
    let open = |folder: &Path| Encoder::open(folder, &EncoderOptions::default()).unwrap();
    let texts = ["good soup", "slow staff"];
    let whole = vectors(&open(&folder("bert-mean")), &texts);
    assert_eq!(vectors(&open(model.path()), &texts), whole);
    fs::remove_file(model.path().join("model-1-of-3.safetensors")).unwrap();
    assert!(refusal(model.path()).contains("model-1-of-3"));
    fs::write(&listed, r#"{"weight_map": {"a": "../other"}}"#).unwrap();
    assert!(refusal(model.path()).contains("no file's name"));
}

/// Whatever is in the files, there is an error or there are vectors.
#[test]
fn bytes_that_are_wrong_break_nothing() {
    let mut random = 7_u64;
    let mut below = |n: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(random >> 33).unwrap() % n
    };
    let mut opened = 0;
    for name in ["bert-dense", "modernbert", "nomic-bert", "static-model2vec"] {
        let model = copy(name);
        let files = ["config.json", "modules.json", "tokenizer.json", "model.safetensors"];
        for file in files.map(|file| model.path().join(file)).iter().filter(|file| file.is_file()) {
            let whole = fs::read(file).unwrap();
            // Of the weights the header.
            let within = whole.len().min(3000);
            for _ in 0..60 {
                let mut changed = whole.clone();
                for _ in 0..=below(3) {
                    changed[below(within)] = b"0129{}[],:\"ax-"[below(14)];
                }
                fs::write(file, &changed).unwrap();
                let found = Encoder::open(model.path(), &EncoderOptions::default());
                if let Ok(encoder) = found {
                    opened += 1;
                    let made = encoder.encode(&["good soup", ""], |_, _| Ok::<(), Error>(()));
                    assert!(made.is_ok() || made.is_err_and(|e| !e.to_string().is_empty()));
                }
            }
            fs::write(file, &whole).unwrap();
        }
    }
    assert!(opened > 100, "{opened}");
}
