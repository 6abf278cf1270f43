//! What is exported of tables with texts that want to be markup.

use std::io::Cursor;

use calamine::{Data, Reader, Xlsx};

use super::display::{Room, Shown, laid_out};
use super::source::{Column, Sheet};
use super::{Format, Place, latex, markdown, xlsx};
use crate::table::Values;

fn column(name: &str, values: Values) -> Column {
    Column { name: name.into(), unit: String::new(), description: format!("the {name}"), values }
}

fn texts(name: &str, values: &[&str]) -> Column {
    column(name, Values::Text(values.iter().map(|t| Some((*t).to_owned())).collect()))
}

fn numbers(name: &str, values: &[f64]) -> Column {
    column(name, Values::Number(values.iter().copied().map(Some).collect()))
}

const NASTY: [&str; 6] = [
    "a|b <script>alert(1)</script> *x* _y_ [z](http://u) `c` ~d~ $e$ #f",
    "\\input{/etc/passwd} 50 % & {x} ^ ~ \"quoted\" -- it''s #1",
    "line\none\r\ntwo\u{2028}three\u{7}\u{202e}four",
    "=HYPERLINK(\"http://u\")",
    "été 字 𝄞",
    "",
];

fn hypotheses() -> Sheet {
    let spread = |by: f64| [1.5, -0.25, 0.0, 3e-12, -1234.5, 0.004].map(|v| v + by);
    Sheet {
        name: "hypotheses".into(),
        columns: vec![
            texts("hypothesis_id", &["H01", "H02", "H03", "H04", "H05", "[H06]"]),
            texts("hypothesis", &NASTY),
            texts("status", &["does_not_hold", "holds", "constant", "holds", "holds", "holds"]),
            numbers("estimate", &spread(0.0)),
            numbers("p_holm", &[0.2, 0.0004, 1.0, 1e-300, 0.05, 0.001]),
            numbers("conf_low", &spread(-1.0)),
            numbers("conf_high", &spread(1.0)),
            column(
                "separation",
                Values::Number(vec![Some(1.0), Some(-2.0), None, Some(0.5), Some(-3.0), Some(0.1)]),
            ),
            column("separation_conf_low", Values::Number(vec![None; 6])),
            column("separation_conf_high", Values::Number(vec![None; 6])),
            numbers("separation_p_holm", &[0.2, 0.0004, 1.0, 1e-300, 0.05, 0.001]),
            numbers("prevalence", &[0.5; 6]),
            column("fidelity_f1", Values::Number(vec![None; 6])),
            column("n", Values::Integer(vec![Some(800); 6])),
        ],
    }
}

fn shown(room: Room) -> Shown {
    let note = "Standard errors: 100 % HC3 & <b>more</b>.".to_owned();
    laid_out(&hypotheses(), "stars_|_{x}", vec![note], room)
}

#[test]
fn markdown_keeps_its_layout() {
    let text = markdown::write(&shown(Room::Screen));
    let columns = |line: &str| line.replace("\\|", "").matches('|').count();
    let table: Vec<&str> = text.lines().filter(|line| line.starts_with('|')).collect();
    assert!(table.iter().all(|line| columns(line) == columns(table[0])), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn latex_obeys_no_wording() {
    insta::assert_snapshot!(latex::write(&shown(Room::Page)));
}

#[test]
fn a_long_table_goes_over_pages() {
    let sheet = Sheet {
        name: "overlap".into(),
        columns: vec![
            column("hypothesis_id_1", Values::Text(vec![Some("H01".into()); 30])),
            column("phi", Values::Number(vec![Some(-0.125); 30])),
        ],
    };
    let text = latex::write(&laid_out(&sheet, "stars", Vec::new(), Room::Page));
    assert!(text.contains("\\begin{longtable}{@{}lr@{}}") && !text.contains("tabular"), "{text}");
    assert!(text.contains("  H01 & $-$0.12 \\\\\n") && !text.contains("lualatex"), "{text}");
}

#[test]
fn a_table_without_a_shape_shows_all_columns_and_says_what_they_are() {
    let sheet = Sheet {
        name: "placebo".into(),
        columns: vec![
            numbers("p_value", &[1e-9]),
            column("is_new", Values::Flag(vec![Some(true)])),
        ],
    };
    let text = markdown::write(&laid_out(&sheet, "stars", Vec::new(), Room::Page));
    assert!(
        text.contains("| p\\_value | is\\_new |\n|---:|---|\n| &lt; 0.001 | yes |\n"),
        "{text}"
    );
    assert!(text.ends_with("\n- p\\_value: the p\\_value.\n- is\\_new: the is\\_new.\n"), "{text}");
}

fn read(bytes: Vec<u8>) -> Xlsx<Cursor<Vec<u8>>> {
    Xlsx::new(Cursor::new(bytes)).unwrap()
}

#[test]
fn a_workbook_holds_numbers_as_numbers_and_words_as_words() {
    let sheet = hypotheses();
    let (bytes, notes) = xlsx::write(std::slice::from_ref(&sheet)).unwrap();
    assert_eq!(notes, Vec::<String>::new());
    let mut book = read(bytes.clone());
    assert!(book.worksheet_formula("hypotheses").unwrap().is_empty());
    let range = book.worksheet_range("hypotheses").unwrap();
    for (i, nasty) in NASTY.iter().enumerate() {
        let found = range.get((i + 1, 1)).map_or_else(String::new, ToString::to_string);
        // XML knows one kind of line end.
        assert_eq!(found.replace("\r\n", "\n"), nasty.replace("\r\n", "\n"));
    }
    assert_eq!(range.get((4, 3)), Some(&Data::Float(3e-12)));
    assert_eq!(range.get((1, 13)), Some(&Data::Float(800.0)));
    assert_eq!(range.get((3, 7)), Some(&Data::Empty));
    // Neither the clock nor chance goes in.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    assert_eq!(bytes, xlsx::write(&[sheet]).unwrap().0);
}

#[test]
fn a_workbook_says_what_it_cut() {
    let long = "a".repeat(40_000);
    let numbers = numbers("x", &[f64::INFINITY]);
    let flag = column("yes", Values::Flag(vec![Some(true)]));
    let big = column("big", Values::Integer(vec![Some(i64::MAX)]));
    let columns = vec![texts("text", &[&long]), numbers, flag, big];
    let (bytes, notes) = xlsx::write(&[Sheet { name: "rows".into(), columns }]).unwrap();
    assert!(notes[0].starts_with("1 of the texts in column `text` of `rows`"), "{notes:?}");
    let range = read(bytes).worksheet_range("rows").unwrap();
    let cells: Vec<String> = (1..4).map(|j| range.get((1, j)).unwrap().to_string()).collect();
    assert_eq!(cells, ["inf", "true", "9223372036854775807"]);
    assert_eq!(range.get((1, 0)).unwrap().to_string().chars().count(), 32_767);
}

#[test]
fn a_place_is_a_file_where_it_ends_as_one() {
    let named = |path: &str| Place::named(path.as_ref());
    assert_eq!(named("paper/t.TEX"), Place::File("paper/t.TEX".into()));
    assert_eq!(named("paper.v2"), Place::Folder("paper.v2".into()));
    assert_eq!(Format::named("md").unwrap(), Format::Markdown);
    assert!(Format::named("docx").unwrap_err().to_string().contains("csv, parquet, markdown"));
}
