use std::sync::Mutex;

use proptest::prelude::*;

use super::*;
use crate::Error;
use crate::text::Language;
use crate::watch::Unwatched;

/// Keeps what was said.
#[derive(Default)]
struct Listening(Mutex<Vec<String>>);

impl Watch for Listening {
    fn begin(&self, _: &'static str, _: u64, _: &'static str) {}
    fn advance(&self, _: u64) {}
    fn say(&self, line: &str) {
        self.0.lock().unwrap().push(line.to_owned());
    }
    fn end(&self, _: &str) {}
    fn interrupted(&self) -> bool {
        false
    }
}

/// The first `n` texts of the demo.
fn reviews(n: usize) -> Texts {
    let lines = crate::demo::REVIEWS.lines().take(n);
    let texts: Vec<serde_json::Value> = lines.map(|l| serde_json::from_str(l).unwrap()).collect();
    texts.iter().map(|text| text["text"].as_str().unwrap()).collect()
}

fn options(dim: usize) -> EmbedOptions {
    EmbedOptions { dim, ..EmbedOptions::default() }
}

fn fitted(texts: &Texts, dim: usize) -> TfidfSvd {
    TfidfSvd::fit(texts, &options(dim), 0, &Unwatched).unwrap()
}

fn vectors(embedder: &dyn Embed, texts: &Texts) -> Matrix {
    embed(embedder, texts, None, &Unwatched).unwrap().0
}

fn cosine(embedder: &dyn Embed, a: &str, b: &str) -> f32 {
    let x = vectors(embedder, &[a, b].into_iter().collect());
    x.row(0).iter().zip(x.row(1)).map(|(a, b)| a * b).sum()
}

#[test]
fn vectors_have_unit_length_or_are_zero_and_counted() {
    let embedder = fitted(&reviews(200), 20);
    let texts: Texts = ["The waiter was rude", "", "!?", "Ωμέγα", "soup"].into_iter().collect();
    let heard = Listening::default();
    let (x, lacking) = embed(&embedder, &texts, None, &heard).unwrap();
    assert_eq!(lacking, 0, "words that are not known are no missing vectors");
    assert_eq!((x.rows(), x.cols(), embedder.dim()), (5, 20, 20));
    for (i, expected) in [1.0, 0.0, 0.0, 0.0, 1.0].into_iter().enumerate() {
        let length: f32 = x.row(i).iter().map(|v| v * v).sum();
        assert!((length - expected).abs() < 1e-5, "text {i}: {length}");
    }
    let line = "3 of 5 texts hold nothing the embedder knows; their vectors are zero";
    assert_eq!(heard.0.into_inner().unwrap(), [line]);
}

#[test]
fn a_text_has_the_same_vector_in_any_company_and_order() {
    let texts = reviews(300);
    let embedder = fitted(&texts.gather(&(0..200).collect::<Vec<_>>()), 30);
    let x = vectors(&embedder, &texts);
    let backwards: Vec<usize> = (0..texts.len()).rev().collect();
    assert_eq!(vectors(&embedder, &texts.gather(&backwards)), x.gather(&backwards));
    assert_eq!(vectors(&embedder, &texts.gather(&[250])), x.gather(&[250]));
}

#[test]
fn the_order_of_the_discover_texts_only_turns_the_axes() {
    let texts = reviews(200);
    let backwards: Vec<usize> = (0..texts.len()).rev().collect();
    let x = vectors(&fitted(&texts, 199), &texts);
    let y = vectors(&fitted(&texts.gather(&backwards), 199), &texts);
    let dot =
        |x: &Matrix, i: usize| -> f32 { x.row(0).iter().zip(x.row(i)).map(|(a, b)| a * b).sum() };
    for i in 0..texts.len() {
        assert!((dot(&x, i) - dot(&y, i)).abs() < 1e-3, "text {i}");
    }
}

#[test]
fn threads_do_not_change_a_bit() {
    let texts = reviews(300);
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let embedder = fitted(&texts, 30);
            (embedder.id(), vectors(&embedder, &texts))
        })
    };
    assert_eq!(on(1), on(3));
}

#[test]
fn the_id_tells_embedders_apart() {
    let texts = reviews(150);
    let id = |texts: &Texts, options: &EmbedOptions, seed| {
        TfidfSvd::fit(texts, options, seed, &Unwatched).unwrap().id()
    };
    let one = id(&texts, &options(10), 0);
    assert!(one.starts_with("tfidf-svd-"));
    assert_eq!(id(&texts, &options(10), 0), one);
    assert_ne!(id(&texts, &options(10), 1), one);
    assert_ne!(id(&texts, &options(11), 0), one);
    assert_ne!(id(&texts, &EmbedOptions { language: Language::None, ..options(10) }, 0), one);
    assert_ne!(id(&reviews(149), &options(10), 0), one);
}

#[test]
fn of_many_texts_a_sample_by_the_seed_is_learnt_from() {
    let mut texts = reviews(150);
    let sampled = EmbedOptions { max_fit_texts: 100, ..options(10) };
    let ids: Vec<String> = [1, 1, 2]
        .map(|seed| TfidfSvd::fit(&texts, &sampled, seed, &Unwatched).unwrap().id())
        .into();
    assert!(ids[0] == ids[1] && ids[0] != ids[2]);
    texts = texts.gather(&(0..100).collect::<Vec<_>>());
    let whole = TfidfSvd::fit(&texts, &sampled, 1, &Unwatched).unwrap().id();
    assert_eq!(whole, TfidfSvd::fit(&texts, &options(10), 1, &Unwatched).unwrap().id());
}

#[test]
fn few_texts_have_few_dimensions_and_the_user_is_told() {
    let heard = Listening::default();
    let embedder = TfidfSvd::fit(&reviews(5), &options(256), 0, &heard).unwrap();
    assert_eq!(embedder.dim(), 5);
    let said = heard.0.into_inner().unwrap();
    assert_eq!(said, ["vectors have 5 dimensions, not 256: 5 texts hold no more directions"]);
    let same = ["one text"; 40].into_iter().collect();
    assert_eq!(fitted(&same, 256).dim(), 1);
}

#[test]
fn texts_without_words_cannot_be_learnt_from() {
    for texts in [vec![], vec![""], vec!["?", "..."]] {
        let texts: Texts = texts.into_iter().collect();
        let error = TfidfSvd::fit(&texts, &options(8), 0, &Unwatched).err().unwrap();
        assert!(matches!(error, Error::Data(_)), "{error}");
    }
}

#[test]
fn words_of_one_root_lie_closer_than_others() {
    let embedder = fitted(&reviews(400), 100);
    let near = cosine(&embedder, "the waiter was rude", "RUDE waiters");
    let misspelt = cosine(&embedder, "the waiter was rude", "the waitter was rude");
    let far = cosine(&embedder, "the waiter was rude", "parking is free");
    assert!(near > 0.5 && misspelt > 0.5 && far < 0.3, "{near} {misspelt} {far}");
}

#[test]
fn trap_28_special_tokens_are_plain_text_and_empty_texts_keep_their_row() {
    let mut texts = reviews(100);
    for text in ["<|endoftext|>", "", "[CLS] <s> </s> <|im_start|>"] {
        texts.push(text);
    }
    let embedder = fitted(&texts, 103);
    let x = vectors(&embedder, &texts);
    assert_eq!(x.rows(), 103);
    let is_zero = |i: usize| x.row(i).iter().all(|&v| v == 0.0);
    assert!(!is_zero(100) && is_zero(101) && !is_zero(102));
    assert!(cosine(&embedder, "<|endoftext|>", "endoftext") > 0.999);
}

#[test]
fn options_out_of_range_are_refused() {
    for (name, bad) in [
        ("embed.embedder", EmbedOptions { embedder: " ".into(), ..options(8) }),
        ("embed.dim", options(0)),
        ("embed.dim", options(5000)),
        ("embed.max_fit_texts", EmbedOptions { max_fit_texts: 99, ..options(8) }),
    ] {
        let error = TfidfSvd::fit(&reviews(5), &bad, 0, &Unwatched).err().unwrap();
        assert!(matches!(&error, Error::Option { name: n, .. } if n == name), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_texts_have_finite_vectors(
        texts in proptest::collection::vec(any::<String>(), 1..12),
        new in any::<String>(),
    ) {
        let mut texts: Texts = texts.iter().map(String::as_str).collect();
        texts.push("at least a word");
        let embedder = fitted(&texts, 8);
        texts.push(&new);
        let x = vectors(&embedder, &texts);
        prop_assert!(x.check_finite("x").is_ok());
    }
}
