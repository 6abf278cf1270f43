use super::*;

#[test]
fn the_written_file_reads_back() {
    let mut options = Options { seed: 7, ..Options::default() };
    options.data.path = "a \"b\".csv".into();
    options.data.text = Some("text".into());
    let text = options.to_toml();
    assert!(text.contains("# target is not set"), "{text}");
    assert_eq!(Options::from_toml(&text, Path::new("o.toml")).unwrap(), options);
}

#[test]
fn sets_options_by_name() {
    let mut options = Options::default();
    for assignment in ["seed=3", "data.text=1", "data.target = \"stars\"", "select.n=5"] {
        options.set(assignment).unwrap();
    }
    assert_eq!((options.seed, options.select.n), (3, 5));
    assert_eq!(options.data.text.as_deref(), Some("1"));
    assert_eq!(options.data.target.as_deref(), Some("stars"));
}

#[test]
fn refuses_unknown_keys_and_bad_values() {
    for (assignment, message) in [
        ("select.methd=5", "did you mean `method`"),
        ("selct.n=5", "did you mean `select`"),
        ("select.n=many", "invalid type"),
        ("select=5", "is a section"),
        ("select.n", "section.key=value"),
        ("seed.x=5", "no such option"),
    ] {
        let error = Options::default().set(assignment).unwrap_err().to_string();
        assert!(error.contains(message), "{assignment}: {error}");
    }
}

#[test]
fn a_bad_file_is_named_with_its_line() {
    let error = Options::from_toml("seed = 1\n[select]\nm = 4\n", Path::new("o.toml")).unwrap_err();
    let message = error.to_string();
    assert!(message.starts_with("`o.toml`, line 3: unknown field `m`"), "{message}");
}

#[test]
fn a_seed_fits_an_options_file() {
    let options = Options { seed: u64::MAX, ..Options::default() };
    assert!(options.check().is_err());
}
