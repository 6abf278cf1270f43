//! The page of made-up results and texts that try to break out of it.

use hypothesaes_math::{Activations, Matrix};

use super::evidence::{Phrases, Piece};
use super::*;
use crate::annotate::Annotations;
use crate::charts::{Map, charts, map, tests as made_up};
use crate::data::{Covariates, Dataset, Split, Task, Texts};
use crate::text::Analyzer;

const NASTY: [&str; 8] = [
    "<script>alert(1)</script>",
    "</script><!-- a long wait",
    "we waited \u{202e}dessert rof\u{202c} again and again for nothing at all",
    "\"'><img src=x onerror=alert(1)>",
    "{{ of.title }} {% for %}",
    "",
    "\u{0}\u{7}\u{2028}control",
    "waited a long time for soup and bread",
];

struct Whole {
    outcome: crate::run::Outcome,
    data: Dataset,
    concepts: Vec<String>,
    annotations: Annotations,
    z: Activations,
    x: Matrix,
    labelled: Vec<Labelled>,
    provenance: Provenance,
    /// Bytes of each picture.
    picture: usize,
}

fn whole(line: &str) -> Whole {
    let outcome = made_up::outcome();
    let texts: Texts = NASTY.into_iter().chain([line]).collect();
    let n = texts.len();
    let data = Dataset {
        texts,
        is_paired: false,
        y: (0..n).map(|i| i as f64).collect(),
        task: Task::Continuous,
        target: "stars".into(),
        split: vec![Split::Heldout; n],
        covariates: Covariates::NONE.clone(),
        group: None,
        row_id: (0..n as u64).collect(),
        document: None,
    };
    let concepts: Vec<String> = outcome.hypotheses.iter().map(|h| h.hypothesis.clone()).collect();
    let answers =
        |c: usize| (0..n).map(|i| (i != 5).then_some((i + c).is_multiple_of(2))).collect();
    let annotations = Annotations::new(n, (0..concepts.len()).map(answers).collect()).unwrap();
    let mut z = Activations::new(4);
    (0..n).for_each(|i| z.push_row([(0, (i % 3) as f32), (1, (i % 2) as f32)]));
    let x = Matrix::from_vec(n, 3, (0..3 * n).map(|i| (i * 7 % 5) as f32).collect()).unwrap();
    let tried = |concept: &str, is_kept| crate::interpret::Tried {
        concept: concept.into(),
        round: 0,
        balanced_f1: Some(0.25),
        is_kept,
    };
    let labelled = vec![Labelled {
        neuron: 0,
        concept: Some(concepts[0].clone()),
        reason: None,
        fidelity: None,
        wordings: vec![tried(&concepts[0], true), tried("a wording </td> that lost", false)],
        is_unanswered: false,
    }];
    let provenance = Provenance {
        options: "seed = 0\n# </pre><script>".into(),
        input: "abc123".into(),
        cost_head: vec!["stage".into(), "dollars".into()],
        cost: vec![vec!["annotate".into(), "1.25".into()]],
        prompts: vec![("annotate/texts.txt".into(), "Is <concept> true of it?".into())],
        files: vec![("tables/hypotheses.csv".into(), "0f0f".into())],
        ..Provenance::default()
    };
    Whole { outcome, data, concepts, annotations, z, x, labelled, provenance, picture: 0 }
}

fn shown(whole: &Whole) -> Shown<'_> {
    let Whole { data, annotations, z, x, .. } = whole;
    Shown { data, annotations, z: Some(z), x: Some(x), seed: 0 }
}

fn results<'a>(
    whole: &'a Whole,
    overlap: &'a [crate::evaluate::Overlap],
    map: Option<&'a Map>,
) -> Results<'a> {
    let (outcome, shown) = (&whole.outcome, Some(shown(whole)));
    Results { outcome, overlap, selection: None, saes: &[], shown, map }
}

fn made(whole: &Whole, options: &ReportOptions) -> Page {
    let overlap = made_up::overlap();
    let shown = shown(whole);
    let map = map(&shown).unwrap();
    let results = results(whole, &overlap, map.as_ref());
    let svg = Some(format!("<svg role=\"graphics-document\">{}</svg>", " ".repeat(whole.picture)));
    let charts: Vec<(Chart, Option<String>)> =
        charts(&results).into_iter().map(|chart| (chart, svg.clone())).collect();
    let material = Material {
        results,
        charts: &charts,
        shown,
        concepts: &whole.concepts,
        labelled: &whole.labelled,
        language: Language::English,
        provenance: &whole.provenance,
    };
    page(&material, options).unwrap()
}

#[test]
fn texts_stay_texts_and_nothing_is_fetched() {
    let whole = whole(&"a long line without an end ".repeat(40_000));
    let Page { html, left_out } = made(&whole, &ReportOptions::default());
    assert_eq!(left_out, None);
    assert!(html.len() < 1_500_000, "{}", html.len());
    // The data, the packed program, and the one that unpacks it.
    assert_eq!(html.matches("<script").count(), 3);
    assert_eq!(html.matches("</script").count(), 3);
    assert!(!html.contains("<img") && !html.contains("<!--") && !html.contains("<link"));
    for fetching in ["<iframe", "<object", "<embed", "<base", "<script src", "@import", "url(http"]
    {
        assert!(!html.contains(fetching), "{fetching}");
    }
    assert!(html.contains("default-src &#x27;none&#x27;") || html.contains("default-src 'none'"));
    assert!(html.contains("&lt;script&gt;alert(1)"));
    assert!(html.contains("{{ of.title }} {% for %}"), "no template in a text is run");
    for hypothesis in &whole.outcome.hypotheses {
        let id = &hypothesis.tested.id;
        assert!(
            html.contains(&format!("id=\"{id}\"")) && html.contains(&format!("href=\"#{id}\""))
        );
    }
    for chart in ["forest", "prevalence", "fidelity", "overlap", "predictors", "map"] {
        assert!(html.contains(&format!("data-chart=\"{chart}\"")), "{chart}");
    }
    for told in ["td&gt; that lost", "abc123", "1.25", "texts.txt", "0f0f"] {
        assert!(html.contains(told), "{told}");
    }
}

#[test]
fn without_texts_not_five_words_of_one_are_left() {
    let whole = whole("one two three four five six seven");
    let options = ReportOptions { texts: false, ..ReportOptions::default() };
    let shown = made(&whole, &ReportOptions::default()).html;
    let hidden = made(&whole, &options).html;
    let mut n = 0;
    for text in whole.data.texts.iter() {
        let words: Vec<&str> = text.split_whitespace().collect();
        for five in words.windows(5) {
            let five = five.join(" ");
            n += usize::from(shown.contains(&five));
            assert!(!hidden.contains(&five), "{five}");
        }
    }
    assert!(n > 3, "with texts they are there");
    assert!(!hidden.contains("<blockquote"));
}

#[test]
fn a_page_that_would_be_too_large_says_what_it_leaves_out() {
    let whole = whole("short");
    let options = ReportOptions { max_mb: 0.1, ..ReportOptions::default() };
    let Page { html, left_out } = made(&whole, &options);
    assert!(left_out.is_some_and(|why| html.contains(&why)));
    assert!(html.len() < 100_000 && !html.contains("<script"), "{}", html.len());
    assert!(html.contains("script-src"));
    assert!(ReportOptions { max_mb: f64::NAN, texts: true }.check().is_err());
}

/// A thousand hypotheses, of `characters` each.
fn thousand(characters: usize) -> Whole {
    let mut whole = whole("short");
    let first = whole.outcome.hypotheses[0].clone();
    let nth = |c: usize| {
        let mut h = first.clone();
        h.tested.id = crate::evaluate::hypothesis_id(c);
        h.hypothesis = format!("{c} {}", "<long & \"wide\"> ".repeat(characters / 16));
        h
    };
    whole.outcome.hypotheses = (0..1000).map(nth).collect();
    whole.concepts = whole.outcome.hypotheses.iter().map(|h| h.hypothesis.clone()).collect();
    let n = whole.data.texts.len();
    let answers = |c: usize| (0..n).map(|i| Some((i * c) % 7 < 3)).collect();
    whole.annotations = Annotations::new(n, (0..1000).map(answers).collect()).unwrap();
    whole
}

#[test]
fn a_page_of_a_thousand_hypotheses_is_no_larger_than_it_may_be() {
    for (characters, picture) in [(32, 50_000), (160, 1_000_000), (2_000, 5_000_000)] {
        let whole = Whole { picture, ..thousand(characters) };
        let Page { html, left_out } = made(&whole, &ReportOptions::default());
        assert!(html.len() < 3_000_000, "{characters} characters: {}", html.len());
        assert!(html.contains(&left_out.unwrap()));
        assert!(html.contains("more hypotheses have no card"));
        // What is not there is not pointed at.
        let links = html.split("href=\"#H").skip(1).map(|at| at.split('"').next().unwrap());
        let ids: Vec<&str> = links.collect();
        assert!(ids.len() > 10 && ids.iter().all(|id| html.contains(&format!("id=\"H{id}\""))));
    }
}

#[test]
fn what_is_too_large_all_the_same_says_so() {
    let mut whole = thousand(64);
    whole.provenance.options = "# long\n".repeat(20_000);
    let options = ReportOptions { max_mb: 0.1, ..ReportOptions::default() };
    let Page { html, left_out } = made(&whole, &options);
    let left_out = left_out.unwrap();
    assert!(left_out.contains("larger than 0.1 MB all the same"), "{left_out}");
    assert!(html.contains(&left_out) && html.contains("plots/forest.svg"));
    assert!(html.contains("900 more rows are in <code>tables/hypotheses.csv</code>"));
}

#[test]
fn phrases_are_marked_where_they_stand() {
    let analyzer = Analyzer::new(Language::English);
    let check = |concept: &str, text: &str, marked: &[&str]| {
        let pieces = Phrases::of(concept, &analyzer, Language::English).pieces(text, &analyzer);
        let all: String = pieces.iter().map(|piece| piece.text.as_str()).collect();
        assert_eq!(all, text);
        let of = |piece: &&Piece| piece.is_evidence;
        let found: Vec<&str> = pieces.iter().filter(of).map(|p| p.text.as_str()).collect();
        assert_eq!(found, marked, "{concept}");
    };
    check(
        r#"mentions "wait" or "a long time""#,
        "Waiting a LONG, time. wait!",
        &["Waiting", "a LONG, time", "wait"],
    );
    check(r#"mentions "long" or "a long time""#, "a long time, long", &["a long time", "long"]);
    check(r#"is close in meaning to "café" (0.2)"#, "Zwei Cafés, é", &["Cafés"]);
    // Words of a meaning of its own, of a concept in free words, but for what the text does with them.
    check("complains about a long wait", "About waits: a long complaint", &["waits", "long"]);
    check("complains", "complains", &[]);
    check(r#"mentions "x""#, "", &[]);
}

#[test]
fn texts_of_every_kind_are_those_that_it_names() {
    let whole = whole("short");
    let material = Material {
        results: results(&whole, &[], None),
        charts: &[],
        shown: shown(&whole),
        concepts: &whole.concepts,
        labelled: &whole.labelled,
        language: Language::English,
        provenance: &whole.provenance,
    };
    let kinds = texts::kinds(&material, (0, Some(0)), Some(-1.0), 2);
    let of = |part: &str| kinds.iter().find(|kind| kind.name.contains(part)).unwrap().texts.clone();
    // True of the even ones; activation 2 on 2, 5 and 8, of which 5 has no answer.
    assert_eq!(
        {
            let mut top = of("fire the neuron most");
            top.sort_unstable();
            top
        },
        [2, 8]
    );
    assert_eq!(of("the target says otherwise"), [8, 6]);
    assert_eq!(of("but it is not true").len(), 2);
    assert!(of("but it is not true").iter().all(|i| i % 2 == 1 && *i != 5 && i % 3 > 0));
    assert!(of("It is not true of them").iter().all(|i| *i == 3));
    assert!(kinds.iter().all(|kind| kind.texts.len() <= 2));
}
