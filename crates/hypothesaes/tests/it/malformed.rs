//! Damage of every kind in every format: a clear refusal, never a panic, never a part of the data.

use std::sync::Arc;

use arrow_array::{ArrayRef, ListArray, RecordBatch, StringArray, types::Int32Type};
use hypothesaes::data::{DataOptions, Format, TaskChoice};
use hypothesaes_math::random::{self, Stream};
use rand::RngExt;

use crate::files::{
    Folder, arrow_file, arrow_stream, batch, csv, gzip, in_all_formats, json, jsonl, load, options,
    parquet, refusal, table, tsv, zstd,
};

/// A damaged file and what the refusal says besides its name.
struct Case {
    file: &'static str,
    bytes: Vec<u8>,
    said: &'static [&'static str],
}

fn case(file: &'static str, bytes: impl AsRef<[u8]>, said: &'static [&'static str]) -> Case {
    Case { file, bytes: bytes.as_ref().to_vec(), said }
}

/// Refuses every case; the folder holds afterwards what it held before.
fn check(cases: Vec<Case>, change: impl Fn(&mut DataOptions)) -> usize {
    let n = cases.len();
    for Case { file, bytes, said } in cases {
        let folder = Folder::new();
        let path = folder.write(file, &bytes);
        let mut asked = options(&path);
        change(&mut asked);
        let message = refusal(&asked);
        assert!(message.contains(file), "{file} is not named: {message}");
        assert!(said.iter().all(|part| message.contains(part)), "{file}: {message}");
        assert_eq!(folder.files(), [file]);
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
    }
    n
}

/// The table with its line `at` (0 is the header) replaced.
fn line(content: &[u8], at: usize, by: impl AsRef<[u8]>) -> Vec<u8> {
    let mut lines: Vec<&[u8]> = content.split(|&b| b == b'\n').collect();
    lines[at] = by.as_ref();
    lines.join(&b'\n')
}

#[test]
fn damaged_delimited_files_are_refused() {
    let good = || csv(&table());
    let csv = |by: &[u8]| line(&good(), 7, by);
    let tsv = |by: &[u8]| line(&tsv(&table()), 7, by);
    let n = check(
        vec![
            case("empty.csv", "", &["is empty"]),
            case("blank.csv", " \n\n  \n", &["is empty"]),
            case("mark.csv", "\u{feff}", &["is empty"]),
            case("header.csv", "text,target\n", &["has a header and no rows"]),
            case("header.tsv", "text\ttarget\n", &["has a header and no rows"]),
            case("long.csv", csv(b"a,b,1"), &["row 7, line 8", "has 3 fields, 2 expected"]),
            case("short.csv", csv(b"a"), &["row 7, line 8", "has 1 field, 2 expected"]),
            case("open.csv", csv(b"\"a,1"), &["row 7, line 8", "quotation mark"]),
            case("open-end.csv", [&good()[..], b"\"a,1"].concat(), &["row 121", "none closes it"]),
            case("after.csv", csv(b"\"a\"b,1"), &["row 7, line 8", "written twice"]),
            case("escape.csv", csv(br#""say \"no\"",1"#), &["row 7, line 8", "written twice"]),
            case("number.csv", csv(b"a,4;5"), &["row 7, line 8, column `target`", "`4;5`"]),
            case("infinite.csv", csv(b"a,-inf"), &["row 7, line 8, column `target`", "`-inf`"]),
            case("large.csv", csv(b"a,1e999"), &["row 7, line 8, column `target`", "finite"]),
            case("latin.csv", csv(b"caf\xe9,1"), &["row 7, line 8", "byte 191", "--encoding"]),
            case("cut-letter.csv", [&good()[..], b"a\xe2\x82"].concat(), &["row 121", "UTF-8"]),
            case("zero.csv", csv(b"a\0b,1"), &["row 7, line 8", "byte 2 of the line is zero"]),
            case("zeros.csv", [0; 400], &["line 1", "zero"]),
            case("names.csv", line(&good(), 0, "text,text,target"), &["`text`", "2 columns"]),
            case("name.csv", line(&good(), 0, "txt,target"), &["`txt`", "--text", "--no-header"]),
            case("same.csv", "text,target\na,1\nb,1.0\n", &["column `target`", "`1` in every row"]),
            case("words.csv", "text,target\na,x\nb,y\nc,1\nd,z\n", &["too few rows: 4 rows"]),
            case("texts.csv", "text,target\n,1\n  ,2\n", &["no row of", "2 without a text"]),
            case(
                "targets.csv",
                "text,target\na,\nb,NaN\nc,null\n",
                &["no row of", "3 without a target"],
            ),
            case("few.csv", "text,target\na,1\nb,2\nc,3\n", &["too few rows: 3 rows"]),
            case("long.tsv", tsv(b"a\tb\t1"), &["row 7, line 8", "has 3 fields, 2 expected"]),
            case("short.tsv", tsv(b"\"a"), &["row 7, line 8", "--format csv"]),
            case("number.tsv", tsv(b"a\t1,5"), &["row 7, line 8, column `target`", "`1,5`"]),
            case("latin.tsv", tsv(b"\xff\t1"), &["row 7, line 8", "not valid UTF-8"]),
            case("zero.tsv", tsv(b"\0\t1"), &["row 7, line 8", "zero"]),
        ],
        |_| {},
    );
    assert_eq!(n, 30);
}

#[test]
fn damaged_json_is_refused() {
    let lines = |by: &str| line(&jsonl(&table()), 6, by);
    let array = |by: &str| line(&json(&table()), 7, by);
    let cut = json(&table()).iter().rposition(|&b| b == b']').unwrap();
    let deep = format!(r#"{{"text": {}"#, "[".repeat(300));
    let n = check(
        vec![
            case(
                "comma.jsonl",
                lines(r#"{"text": "a" "target": 1}"#),
                &["row 7, line 7", "byte 14"],
            ),
            case("cut.jsonl", lines(r#"{"text": "a"#), &["row 7, line 7", "cut off"]),
            case("list.jsonl", lines(r#"["a", 1]"#), &["row 7, line 7", "expected an object"]),
            case("bare.jsonl", lines("12"), &["row 7, line 7", "expected an object"]),
            case("two.jsonl", lines(r#"{"text":"a"} {"text":"b"}"#), &["row 7", "one object"]),
            case("nan.jsonl", lines(r#"{"text":"a","target":NaN}"#), &["row 7", "no NaN"]),
            case("single.jsonl", lines("{'text':'a'}"), &["row 7, line 7", "invalid JSON at byte"]),
            case("control.jsonl", lines("{\"text\":\"a\tb\"}"), &["row 7", "control character"]),
            case("half.jsonl", lines(r#"{"text":"\ud800","target":1}"#), &["row 7, line 7"]),
            case(
                "large.jsonl",
                lines(r#"{"text":"a","target":1e999}"#),
                &["row 7", "out of range"],
            ),
            case(
                "twice.jsonl",
                lines(r#"{"text":"a","text":"b"}"#),
                &["row 7", "`text` stands twice"],
            ),
            case("deep.jsonl", lines(&deep), &["row 7, line 7"]),
            case(
                "text.jsonl",
                lines(r#"{"text":5,"target":1}"#),
                &["row 7, line 7, column `text`", "a number"],
            ),
            case(
                "flag.jsonl",
                lines(r#"{"text":true,"target":1}"#),
                &["column `text`", "true or false"],
            ),
            case(
                "texts.jsonl",
                lines(r#"{"text":["a"],"target":1}"#),
                &["row 7", "`text`", "a list"],
            ),
            case(
                "object.jsonl",
                lines(r#"{"text":"a","target":{}}"#),
                &["row 7", "`target`", "an object"],
            ),
            case(
                "word.jsonl",
                lines(r#"{"text":"a","target":"x"}"#),
                &["row 7", "`target`", "`x`"],
            ),
            case(
                "key.jsonl",
                "{\"text\":\"a\",\"stars\":1}\n{\"text\":\"b\",\"stars\":2}\n",
                &["`stars`", "--target stars"],
            ),
            case(
                "pretty.jsonl",
                "{\n\"text\": \"a\",\n\"target\": 1\n}\n",
                &["row 1, line 1", "cut off"],
            ),
            case(
                "latin.jsonl",
                line(&jsonl(&table()), 6, b"{\"text\":\"\xe9\"}"),
                &["row 7, line 7"],
            ),
            case("rubbish.jsonl", "rubbish\n", &["row 1, line 1", "invalid JSON"]),
            case("empty.jsonl", "\n \n", &["is empty"]),
            case("none.json", "[]", &["has no"]),
            case("open.json", &json(&table())[..cut], &["row 121", "cut off"]),
            case("more.json", [&json(&table())[..], b"x"].concat(), &["invalid JSON"]),
            case("comma.json", array(r#"{"text":"a","target":1},,"#), &["row 8, line 8"]),
            case("list.json", array(r#"["a", 1],"#), &["row 7, line 8", "expected an object"]),
            case("bare.json", "[1, 2, 3]", &["row 1", "expected an object"]),
            case("colon.json", array(r#"{"text" "a"},"#), &["row 7, line 8", "invalid JSON"]),
            case(
                "number.json",
                array(r#"{"text":7,"target":1},"#),
                &["row 7, column `text`", "a number"],
            ),
            case(
                "latin.json",
                line(&json(&table()), 7, b"{\"text\":\"\xe9\"},"),
                &["row 7", "UTF-8"],
            ),
            case("zero.json", array("{\"text\":\"\0\"},"), &["row 7, line 8", "control character"]),
        ],
        |_| {},
    );
    assert_eq!(n, 32);
}

#[test]
fn damaged_columnar_files_are_refused() {
    let p = || parquet(&batch(&table()));
    let a = || arrow_file(&batch(&table()));
    let s = || arrow_stream(&batch(&table()));
    let none = batch(&table()).slice(0, 0);
    let tail = |mut bytes: Vec<u8>, from_end: usize, by: &[u8]| {
        let at = bytes.len() - from_end;
        bytes[at..at + by.len()].copy_from_slice(by);
        bytes
    };
    let lists: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(
        (0..3).map(|i| Some(vec![Some(i)])),
    ));
    let words: ArrayRef = Arc::new(StringArray::from(vec!["a", "b", "c"]));
    let numbers: ArrayRef = Arc::new(arrow_array::Int32Array::from(vec![1, 2, 3]));
    let of = |text: &ArrayRef, target: &ArrayRef| {
        RecordBatch::try_from_iter([("text", text.clone()), ("target", target.clone())]).unwrap()
    };
    let half = s().len() - s().windows(4).rev().position(|w| w == [0xff; 4]).unwrap() - 4;
    let n = check(
        vec![
            case("cut.parquet", &p()[..p().len() / 2], &["damaged or cut off"]),
            case("head.parquet", "PAR1", &["damaged or cut off"]),
            case("end.parquet", tail(p(), 4, b"PAR0"), &["damaged or cut off"]),
            case(
                "length.parquet",
                tail(p(), 8, &[0xff, 0xff, 0xff, 0x7f]),
                &["damaged or cut off"],
            ),
            case(
                "magic.parquet",
                [&[0; 4], &p()[4..]].concat(),
                &["does not begin as Parquet does"],
            ),
            case("secret.parquet", [b"PARE", &p()[4..]].concat(), &["encrypted"]),
            case("none.parquet", parquet(&none), &["has no rows"]),
            case(
                "lists.parquet",
                parquet(&of(&lists, &numbers)),
                &["row 1, column `text`", "a list"],
            ),
            case(
                "numbers.parquet",
                parquet(&of(&numbers, &numbers)),
                &["column `text`", "a number"],
            ),
            case(
                "target.parquet",
                parquet(&of(&words, &lists)),
                &["row 1, column `target`", "a list"],
            ),
            case("words.parquet", parquet(&of(&words, &words)), &["too few rows: 3 rows"]),
            case("cut.arrow", &a()[..a().len() / 2], &["cut off"]),
            case("head.arrow", "ARROW1\0\0", &["cut off"]),
            case("end.arrow", tail(a(), 6, b"ARROW0"), &["no valid footer"]),
            case("length.arrow", tail(a(), 10, &[0xff, 0xff, 0xff, 0x7f]), &["no valid footer"]),
            case("magic.arrow", [&[0; 4], &a()[4..]].concat(), &["does not begin as Arrow does"]),
            case("none.arrow", arrow_file(&none), &["has no rows"]),
            case("lists.arrow", arrow_file(&of(&lists, &numbers)), &["column `text`", "a list"]),
            case("cut.arrows", &s()[..s().len() - 100], &["cut off"]),
            case("half.arrows", &s()[..half], &["without their end mark"]),
            case("more.arrows", [&s()[..], b"x"].concat(), &["1 bytes follow the end"]),
            case("head.arrows", &s()[..20], &["cut off"]),
            case("old.feather", [&b"FEA1"[..], &[0; 60]].concat(), &["Feather version 1"]),
        ],
        |_| {},
    );
    assert_eq!(n, 23);
}

#[test]
fn damaged_and_foreign_packings_are_refused() {
    let content = csv(&table());
    let (gz, zst) = (gzip(&content), zstd(&content));
    let flip = |bytes: &[u8], from_end: usize| {
        let mut bytes = bytes.to_vec();
        let at = bytes.len() - from_end;
        bytes[at] ^= 1;
        bytes
    };
    let n = check(
        vec![
            case("cut.csv.gz", &gz[..gz.len() / 2], &["gzip data end too early"]),
            case("tail.csv.gz", &gz[..gz.len() - 3], &["gzip data end too early"]),
            case("sum.csv.gz", flip(&gz, 6), &["gzip data are damaged"]),
            case("head.csv.gz", &gz[..3], &["gzip"]),
            case("more.csv.gz", [&gz[..], b"rubbish"].concat(), &["gzip"]),
            case("empty.csv.gz", gzip(b""), &["is empty"]),
            case("twice.csv.gz", gzip(&gz), &["packed twice"]),
            case("cut.csv.zst", &zst[..zst.len() / 2], &["zstd data end too early"]),
            case("sum.csv.zst", flip(&zst, 1), &["zstd data are damaged"]),
            case("head.csv.zst", &zst[..5], &["zstd data end too early"]),
            case("more.csv.zst", [&zst[..], b"rubbish"].concat(), &["zstd data are damaged"]),
            case("cut.parquet.gz", &gzip(&parquet(&batch(&table())))[..900], &["gzip"]),
            case("cut.json.zst", &zstd(&json(&table()))[..500], &["zstd"]),
            case("rows.csv.bz2", b"BZh91AY", &["bzip2"]),
            case("rows.csv.xz", b"\xfd7zXZ\0", &["xz"]),
            case("rows.xlsx", b"PK\x03\x04....", &["Excel"]),
            case("rows.db", b"SQLite format 3\0", &["SQLite"]),
            case("rows.pdf", b"%PDF-1.7", &["PDF"]),
        ],
        |_| {},
    );
    assert_eq!(n, 18);
}

#[test]
fn utf16_and_wrong_encodings_are_refused() {
    let content = String::from_utf8(csv(&table())).unwrap();
    let units: Vec<u16> = content.encode_utf16().collect();
    let bytes = |units: &[u16]| units.iter().flat_map(|u| u.to_le_bytes()).collect::<Vec<u8>>();
    let marked = |units: &[u16]| [b"\xff\xfe", &bytes(units)[..]].concat();
    let at = units.iter().rposition(|&u| u == u16::from(b'1')).unwrap();
    let lone = [&units[..at], &[0xdc00], &units[at..]].concat();
    check(
        vec![
            case("no-mark.csv", bytes(&units), &["`--encoding utf-16le`"]),
            case("odd.csv", [&marked(&units)[..], b"x"].concat(), &["not valid UTF-16LE"]),
            case("lone.csv", marked(&lone), &["row 12", "not valid UTF-16LE"]),
        ],
        |_| {},
    );
    let sjis = case("sjis.csv", line(&csv(&table()), 7, b"\x81\xff,1"), &["row", "Shift_JIS"]);
    check(vec![sjis], |asked| asked.encoding = Some("shift_jis".into()));
}

#[test]
fn options_that_do_not_fit_the_file_are_refused() {
    let good = |file, said| case(file, csv(&table()), said);
    let parquet_file = |said| case("good.parquet", parquet(&batch(&table())), said);
    let text =
        |column: &'static str| move |asked: &mut DataOptions| asked.text = Some(column.into());
    check(vec![good("a.csv", &["column `tex`", "nearest: `text`", "`target`"])], text("tex"));
    check(vec![good("b.csv", &["column `3`", "no such column"])], text("3"));
    check(vec![good("c.csv", &["column `0`", "no such column"])], text("0"));
    check(vec![parquet_file(&["names its columns itself"])], |asked| asked.no_header = true);
    check(vec![parquet_file(&["whose texts are UTF-8"])], |asked| {
        asked.encoding = Some("latin1".into());
    });
    check(vec![parquet_file(&["is Parquet by its first bytes"])], |asked| {
        asked.format = Some(Format::Csv);
    });
    check(vec![good("d.csv", &["does not begin as Parquet does"])], |asked| {
        asked.format = Some(Format::Parquet);
    });
    check(vec![good("e.csv", &["row 1, line 1", "invalid JSON"])], |asked| {
        asked.format = Some(Format::Jsonl);
    });
    check(vec![good("f.csv", &["has 2 fields; name as many"])], |asked| {
        asked.no_header = true;
        asked.columns = vec!["text".into(), "target".into(), "group".into()];
    });
    let option = |change: &dyn Fn(&mut DataOptions), said: &str| {
        let folder = Folder::new();
        let mut asked = options(folder.write("good.csv", csv(&table())));
        change(&mut asked);
        let message = refusal(&asked);
        assert!(message.contains(said), "{message}");
    };
    option(&|asked| asked.text = Some("target".into()), "the text column already");
    option(&|asked| asked.group = Some("2".into()), "the target column already");
    option(&|asked| asked.controls = vec!["1".into()], "`controls` is `text`: this is the text");
    option(&|asked| asked.strata = Some("nowhere".into()), "no such column for `strata`");
    option(&|asked| asked.positive = Some("77".into()), "`positive` is `77`");
    option(&|asked| asked.task = Some(TaskChoice::Binary), "name one of them by `--positive`");
    option(&|asked| asked.drop_target = vec!["inf".into()], "`drop_target` is `inf`");
}

#[test]
fn what_is_no_readable_file_is_refused() {
    let folder = Folder::new();
    folder.write("reviews.csv", csv(&table()));
    let check = |name: &str, parts: &[&str]| {
        let message = refusal(&options(folder.path(name)));
        let name = name.trim_end_matches('/');
        assert!(message.contains(name), "{message}");
        assert!(parts.iter().all(|part| message.contains(part)), "{message}");
    };
    check("review.csv", &["no such file", "the folder has `reviews.csv`"]);
    check("gone/reviews.csv", &["no such file", "no folder"]);
    check("", &["is a folder", "`reviews.csv`"]);
    let mut asked = options(folder.path("reviews.csv"));
    asked.heldout = Some(folder.path("held.csv"));
    assert!(refusal(&asked).contains("held.csv"));
    #[cfg(unix)]
    {
        let _listener = std::os::unix::net::UnixListener::bind(folder.path("socket")).unwrap();
        check("socket", &["no regular file"]);
    }
}

/// Cuts and flips at random places. Either the damage is found, or every row is still there.
#[test]
fn random_damage_never_panics_and_never_loses_a_row() {
    let table = table();
    let mut stream = random::stream(0, "damage");
    let mut refused = 0;
    let mut all = 0;
    for (ending, bytes) in in_all_formats(&table) {
        let plain = matches!(ending, "csv" | "tsv" | "jsonl");
        for (name, bytes) in [
            (format!("rows.{ending}"), bytes.clone()),
            (format!("rows.{ending}.gz"), gzip(&bytes)),
            (format!("rows.{ending}.zst"), zstd(&bytes)),
        ] {
            let folder = Folder::new();
            let packed = name.ends_with('z') || name.ends_with("zst");
            for _ in 0..60 {
                let cut = stream.random_range(0..bytes.len());
                let loaded = load(&options(folder.write(&name, &bytes[..cut])));
                // A text format may be cut between two rows, or inside the last number.
                let may_pass = plain && !packed || ending == "json" && bytes[cut..] == b"\n"[..];
                let rows = loaded.as_ref().map_or(0, |loaded| loaded.counts.rows);
                assert!(loaded.is_err() || may_pass, "{name} cut at {cut} gave {rows} rows");
                let said = loaded.map_or_else(|e| e.to_string(), |_| name.clone());
                assert!(said.contains(&name) || said.starts_with("too few rows"), "{said}");

                let loaded = load(&options(folder.write(&name, flipped(&bytes, &mut stream))));
                refused += usize::from(loaded.is_err());
                all += 1;
                match loaded {
                    Ok(loaded) => assert_eq!(loaded.counts.rows, table.len() as u64, "{name}"),
                    Err(e) => assert!(e.to_string().contains(&name), "{e}"),
                }
            }
        }
    }
    // Most flips hit letters of plain texts, where nothing can tell them from what was written.
    assert!(refused * 2 > all, "{refused} of {all}");
}

/// One to three bits turned over.
fn flipped(bytes: &[u8], stream: &mut Stream) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..stream.random_range(1..4) {
        let at = stream.random_range(0..bytes.len());
        bytes[at] ^= 1 << stream.random_range(0..8);
    }
    bytes
}
