//! What stands beside text and target: weights, controls, strata, exposure, and the other text of a
//! pair.

use std::collections::BTreeMap;

use hypothesaes::data::{
    Control, Covariates, DataOptions, Dataset, Reason, Split, Task, TaskChoice, read_rows,
    write_rows,
};

use crate::files::{Folder, load, options, refusal};

const HEADER: &str = "text,target,w,words,year,place,author,days";

/// 200 rows, of which row `at` (from 0) may be another.
fn file(folder: &Folder, at: Option<(usize, &str)>) -> DataOptions {
    let row = |i: usize| match at {
        Some((row, text)) if row == i => text.to_owned(),
        _ => format!(
            "text {i},{},{},{},{},{},a{},{}",
            i % 7,
            1 + i % 3,
            10 * i,
            2000 + i % 4,
            ["north", "south"][i % 2],
            i % 50,
            1 + i % 5
        ),
    };
    let rows: Vec<String> = (0..200).map(row).collect();
    let mut asked = options(folder.write("a.csv", format!("{HEADER}\n{}\n", rows.join("\n"))));
    asked.weight = Some("w".into());
    asked.controls = vec!["words".into(), "place".into()];
    asked.fixed_effects = vec!["author".into()];
    asked.strata = Some("year".into());
    asked
}

fn there_and_back(folder: &Folder, data: &Dataset) -> Dataset {
    let mut bytes = Vec::new();
    write_rows(data, &mut bytes).unwrap();
    read_rows(&folder.write("rows.parquet", bytes)).unwrap()
}

#[test]
fn covariates_are_read_and_come_back() {
    let folder = Folder::new();
    let mut asked = file(&folder, None);
    asked.task = Some(TaskChoice::Count);
    asked.exposure = Some("days".into());
    let loaded = load(&asked).unwrap();
    let data = &loaded.dataset;
    assert_eq!(data.task, Task::Count);
    let Covariates { weight, exposure, controls, fixed_effects, strata } = &data.covariates;
    assert_eq!(weight.as_ref().unwrap()[..4], [1.0, 2.0, 3.0, 1.0]);
    assert_eq!(exposure.as_ref().unwrap()[..6], [1.0, 2.0, 3.0, 4.0, 5.0, 1.0]);
    let [Control::Numeric { name, values }, Control::Categorical(place)] = &controls[..] else {
        panic!("{controls:?}")
    };
    assert_eq!((name.as_str(), values[3]), ("words", 30.0));
    assert_eq!((place.levels.join(" "), place.of_row[1]), ("north south".into(), 1));
    assert_eq!(fixed_effects[0].levels.len(), 50);
    let year = strata.as_ref().unwrap();
    assert_eq!((year.name.as_str(), year.levels[3].as_str(), year.of_row[7]), ("year", "2003", 3));
    let columns = "weight `w`, exposure `days`, strata `year`, controls `words` `place`, \
                   fixed effects `author`";
    assert!(loaded.notes.iter().any(|note| note.contains(columns)), "{:?}", loaded.notes);
    assert_eq!(&there_and_back(&folder, data), data);
}

#[test]
fn a_sample_keeps_what_stands_beside_its_rows() {
    let folder = Folder::new();
    let mut asked = file(&folder, None);
    asked.sample = Some(60);
    let data = load(&asked).unwrap().dataset;
    assert_eq!(data.n_rows(), 60);
    let Control::Numeric { values, .. } = &data.covariates.controls[0] else { panic!("numbers") };
    for (i, &row) in data.row_id.iter().enumerate() {
        assert_eq!(values[i], 10.0 * row as f64);
    }
    assert_eq!(there_and_back(&folder, &data), data);
}

#[test]
fn rows_without_a_value_are_left_out_by_name() {
    let folder = Folder::new();
    let left_out = |row: &str, reason: Reason, detail: &str| {
        let loaded = load(&file(&folder, Some((20, row)))).unwrap();
        let [dropped] = &loaded.dropped[..] else { panic!("{:?}", loaded.dropped) };
        assert_eq!((dropped.row, dropped.reason, dropped.detail.as_str()), (21, reason, detail));
        assert_eq!(loaded.dataset.n_rows(), 199);
    };
    left_out("t,1,,5,2001,north,a1,1", Reason::MissingValue, "w");
    left_out("t,1,0,5,2001,north,a1,1", Reason::Weightless, "");
    left_out("t,1,1,,2001,north,a1,1", Reason::MissingValue, "words");
    left_out("t,1,1,5,NA,north,a1,1", Reason::MissingValue, "year");
    left_out("t,1,1,5,2001,north, ,1", Reason::MissingValue, "author");
}

#[test]
fn bad_values_are_refused_with_their_place() {
    let folder = Folder::new();
    let check = |row: &str, change: &dyn Fn(&mut DataOptions), said: &str| {
        let mut asked = file(&folder, Some((20, row)));
        change(&mut asked);
        let message = refusal(&asked);
        assert!(message.contains("a.csv") && message.contains(said), "{message}");
    };
    let none = |_: &mut DataOptions| ();
    let weight = "row 21, line 22, column `w`: is -1; it must be 0 or more";
    check("t,1,-1,5,2001,north,a1,1", &none, weight);
    check("t,1,much,5,2001,north,a1,1", &none, "column `w`: `much` is not a number");
    let count = |asked: &mut DataOptions| {
        asked.task = Some(TaskChoice::Count);
        asked.exposure = Some("days".into());
    };
    check("t,1,1,5,2001,north,a1,0", &count, "column `days`: is 0; it must be above 0");
    check("t,-3,1,5,2001,north,a1,1", &count, "row 21, column `target`: is -3; a count");
    let twice = |asked: &mut DataOptions| asked.controls.push("author".into());
    let message = {
        let mut asked = file(&folder, None);
        twice(&mut asked);
        refusal(&asked)
    };
    assert!(message.contains("`controls` is `author`: a column is a control, a fixed effect"));
}

#[test]
fn a_column_of_one_value_is_left_out_and_said() {
    let folder = Folder::new();
    let rows: Vec<String> = (0..200).map(|i| format!("text {i},{},same,", i % 7)).collect();
    let content = format!("text,target,c,g\n{}\n", rows.join("\n"));
    let mut asked = options(folder.write("a.csv", content));
    asked.controls = vec!["c".into()];
    let loaded = load(&asked).unwrap();
    assert!(loaded.dataset.covariates.is_empty());
    let said = "control `c` is `same` in every row, and so left out";
    assert!(loaded.notes.iter().any(|note| note == said), "{:?}", loaded.notes);
    asked.group = Some("g".into());
    let message = refusal(&asked);
    assert!(message.contains("column `g`: is empty in every row"), "{message}");
}

/// Pairs of headlines, four of which may share a story, and of which the target names the winner.
fn pairs(folder: &Folder, shared: bool) -> DataOptions {
    let side = |i: usize, side: usize| {
        if shared {
            format!("headline {} of story {}", (i + side) % 4, i / 4)
        } else {
            format!("headline {i} {side}")
        }
    };
    let mut rows: Vec<String> =
        (0..240).map(|i| format!("{},{},{}", side(i, 0), side(i, 1), 1 + i % 2)).collect();
    rows[7] = "the same,the same,1".into();
    rows[8] = "one side, ,2".into();
    let content = format!("a,b,won\n{}\n", rows.join("\n"));
    let mut asked = options(folder.write("pairs.csv", content));
    asked.text = Some("a".into());
    asked.text_b = Some("b".into());
    asked.target = Some("won".into());
    asked
}

#[test]
fn pairs_are_read_and_come_back() {
    let folder = Folder::new();
    let loaded = load(&pairs(&folder, false)).unwrap();
    let data = &loaded.dataset;
    assert!(data.is_paired);
    assert_eq!((data.n_rows(), data.texts.len()), (238, 476));
    assert_eq!((data.texts.get(0), data.texts.get(238)), ("headline 0 0", "headline 0 1"));
    assert_eq!(data.y[..2], [1.0, 0.0]);
    let reasons: Vec<Reason> = loaded.dropped.iter().map(|d| d.reason).collect();
    assert_eq!(reasons, [Reason::EqualSides, Reason::EmptyText]);
    let said = |part: &str| loaded.notes.iter().any(|note| note.contains(part));
    assert!(said("pairs of columns `a` and `b`") && said("`a` won where it is 1"));
    assert_eq!(&there_and_back(&folder, data), data);
}

#[test]
fn pairs_that_share_a_text_stay_in_one_part() {
    let folder = Folder::new();
    let data = load(&pairs(&folder, true)).unwrap().dataset;
    let mut parts: BTreeMap<&str, Split> = BTreeMap::new();
    for text in 0..data.texts.len() {
        let part = data.split[text % data.n_rows()];
        assert_eq!(*parts.entry(data.texts.get(text)).or_insert(part), part);
    }
}

#[test]
fn pairs_that_all_hang_together_are_split_all_the_same_and_said() {
    let folder = Folder::new();
    let rows: Vec<String> =
        (0..200).map(|i| format!("item {},item {},{}", i % 40, (i + 7) % 41, i % 2)).collect();
    let mut asked = options(folder.write("p.csv", format!("a,b,y\n{}\n", rows.join("\n"))));
    (asked.text, asked.text_b) = (Some("a".into()), Some("b".into()));
    asked.target = Some("y".into());
    let loaded = load(&asked).unwrap();
    assert_eq!(loaded.dataset.rows(Split::Heldout).len(), 30);
    let said = "pairs hang together by shared texts";
    assert!(loaded.notes.iter().any(|note| note.contains(said)), "{:?}", loaded.notes);
}
