//! The same table gives the same data set, whatever it is written in.

use std::sync::Arc;

use arrow_array::builder::StringDictionaryBuilder;
use arrow_array::types::Int32Type;
use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Decimal128Array, Float32Array, Int8Array,
    LargeStringArray, NullArray, RecordBatch, StringViewArray, UInt64Array,
};
use hypothesaes::data::{Dataset, Format, Loaded, Task};
use proptest::prelude::*;

use crate::files::{
    self, Folder, arrow_file, arrow_stream, csv, gzip, in_all_formats, load, options, parquet,
    refusal, table, zstd,
};

fn texts(loaded: &Loaded) -> Vec<&str> {
    loaded.dataset.texts.iter().collect()
}

#[test]
fn every_format_and_packing_gives_the_same_data_set() {
    let folder = Folder::new();
    let table = table();
    let mut first: Option<Dataset> = None;
    for (ending, bytes) in in_all_formats(&table) {
        let packed = [
            (String::new(), bytes.clone()),
            (".gz".into(), gzip(&bytes)),
            (".zst".into(), zstd(&bytes)),
        ];
        for (packing, bytes) in packed {
            let name = format!("rows.{ending}{packing}");
            let loaded = load(&options(folder.write(&name, bytes))).unwrap();
            assert!(
                !loaded.notes.iter().any(|note| note.contains("whatever")),
                "{:?}",
                loaded.notes
            );
            assert_eq!(loaded.counts.rows, table.len() as u64, "{name}");
            assert_eq!(
                first.get_or_insert_with(|| loaded.dataset.clone()),
                &loaded.dataset,
                "{name}"
            );
        }
    }
    let first = first.unwrap();
    assert!(first.texts.iter().eq(table.iter().map(|(text, _)| text.as_str())));
    assert_eq!(first.y, table.iter().map(|(_, y)| *y).collect::<Vec<f64>>());
}

#[test]
fn the_content_wins_over_the_name_and_that_is_said() {
    let folder = Folder::new();
    for (i, (ending, bytes)) in in_all_formats(&table()).into_iter().enumerate() {
        let wrong = if ending == "csv" { "parquet" } else { "csv" };
        let loaded = load(&options(folder.write(&format!("{i}.{wrong}"), &bytes))).unwrap();
        let said = loaded.notes.iter().any(|note| note.contains("whatever its name says"));
        assert!(said, "{ending}: {:?}", loaded.notes);
        let loaded = load(&options(folder.write(&format!("{i}.{ending}.gz"), &bytes))).unwrap();
        let said = loaded.notes.iter().any(|note| note.contains("is not packed by its content"));
        assert!(said, "{ending}: {:?}", loaded.notes);
        let no_ending = load(&options(folder.write(&format!("rows-{i}"), &bytes))).unwrap();
        assert_eq!(no_ending.dataset, loaded.dataset);
    }
    let more = files::concat("", (0..80).map(|i| format!("more {i},{i}\n")));
    let members = [gzip(b"text,target\na,1\n"), gzip(more.as_bytes())].concat();
    let loaded = load(&options(folder.write("members.csv", members))).unwrap();
    assert_eq!(loaded.counts.rows, 81);
    assert!(loaded.notes.iter().any(|note| note.contains("is gzip by its content")));
}

#[test]
fn texts_arrive_from_every_encoding() {
    let folder = Folder::new();
    let content = String::from_utf8(csv(&table())).unwrap();
    let plain = load(&options(folder.write("plain.csv", &content))).unwrap();
    let utf16 = |unit: fn(u16) -> [u8; 2]| -> Vec<u8> {
        "\u{feff}".encode_utf16().chain(content.encode_utf16()).flat_map(unit).collect()
    };
    let check = |name: &str, bytes: Vec<u8>| {
        let loaded = load(&options(folder.write(name, bytes))).unwrap();
        assert_eq!(loaded.dataset, plain.dataset, "{name}");
    };
    check("mark.csv", ["\u{feff}", &content].concat().into_bytes());
    check("little.csv", utf16(u16::to_le_bytes));
    let mut asked = options(folder.write("no-mark.csv", &utf16(u16::to_le_bytes)[2..]));
    asked.encoding = Some("utf-16le".into());
    assert_eq!(load(&asked).unwrap().dataset, plain.dataset);
    check("big.csv", utf16(u16::to_be_bytes));
    check("crlf.csv", content.replace('\n', "\r\n").into_bytes());
    check("cr.csv", content.replace('\n', "\r").into_bytes());
    check("last-line-open.csv", content.trim_end().as_bytes().to_vec());
    check("mark.json", [b"\xef\xbb\xbf".to_vec(), files::json(&table())].concat());

    let rows = files::concat("", (0..80).map(|i| format!("caf\u{e9} {i},{i}\n")));
    let (latin, _, _) = encoding_rs::WINDOWS_1252.encode(&rows);
    let path = folder.write("latin.csv", [b"text,target\n", &*latin].concat());
    let mut asked = options(&path);
    assert!(refusal(&asked).contains("not valid UTF-8"), "{}", refusal(&asked));
    asked.encoding = Some("latin1".into());
    assert_eq!(texts(&load(&asked).unwrap())[7], "caf\u{e9} 7");
}

#[test]
fn delimiters_are_found_and_quotation_marks_are_literal_in_tsv() {
    let folder = Folder::new();
    let rows = |delimiter: &str, quote: &str| -> String {
        let row = |i| format!("{quote}one, {i}{quote}{delimiter}{}.5\n", i % 9);
        std::iter::once(format!("text{delimiter}target\n")).chain((0..80).map(row)).collect()
    };
    let first = |name: &str, content: String, format: Option<Format>| {
        let mut asked = options(folder.write(name, content));
        asked.format = format;
        let loaded = load(&asked).unwrap();
        assert_eq!(loaded.counts.rows, 80);
        loaded.dataset.texts.get(0).to_owned()
    };
    assert_eq!(first("a.csv", rows(";", ""), None), "one, 0");
    assert_eq!(first("b.csv", rows("|", ""), None), "one, 0");
    assert_eq!(first("c.csv", rows(",", "\""), None), "one, 0");
    assert_eq!(first("d.tsv", rows("\t", "\""), None), "\"one, 0\"");
    assert_eq!(first("e.tsv", rows("\t", "\""), Some(Format::Csv)), "one, 0");
    let open = rows("\t", "").replace("one, 3", "one \" 3");
    assert_eq!(first("f.tsv", open, None), "one, 0");
    let lines = rows(",", "\"").replace("one, ", "one\r\n\n\"\"two\"\" ");
    assert_eq!(first("g.csv", lines, None), "one\r\n\n\"two\" 0");
}

#[test]
fn columns_of_every_type_are_understood() {
    let folder = Folder::new();
    let n: u8 = 90;
    let each = |value: fn(u8) -> String| (0..n).map(value);
    let texts: Vec<String> = each(|i| format!("text {i}")).collect();
    let mut dictionary = StringDictionaryBuilder::<Int32Type>::new();
    for text in &texts {
        dictionary.append_value(text);
    }
    let text_columns: Vec<ArrayRef> = vec![
        Arc::new(LargeStringArray::from_iter_values(&texts)),
        Arc::new(StringViewArray::from_iter_values(&texts)),
        Arc::new(BinaryArray::from_iter_values(&texts)),
        Arc::new(dictionary.finish()),
    ];
    let numbers: Vec<ArrayRef> = vec![
        Arc::new((0..n).map(|i| i8::try_from(i % 7).ok()).collect::<Int8Array>()),
        Arc::new((0..n).map(|i| Some(u64::from(i % 7))).collect::<UInt64Array>()),
        Arc::new((0..n).map(|i| Some(f32::from(i % 7))).collect::<Float32Array>()),
        Arc::new(
            (0..n)
                .map(|i| Some(i128::from(i % 7) * 100))
                .collect::<Decimal128Array>()
                .with_precision_and_scale(20, 2)
                .unwrap(),
        ),
        Arc::new(LargeStringArray::from_iter_values(each(|i| format!(" {}.0 ", i % 7)))),
    ];
    let flags: ArrayRef = Arc::new((0..n).map(|i| Some(i % 3 == 0)).collect::<BooleanArray>());
    let nothing: ArrayRef = Arc::new(NullArray::new(n.into()));
    let pairs = text_columns.iter().map(|text| (text, &numbers[0]));
    let pairs = pairs.chain(numbers.iter().map(|number| (&text_columns[0], number)));
    for (i, (text, target)) in pairs.enumerate() {
        let columns =
            [("nothing", &nothing, true), ("target", target, false), ("text", text, false)];
        let columns = columns.map(|(name, array, nullable)| (name, Arc::clone(array), nullable));
        let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
        for (ending, bytes) in [
            ("parquet", parquet(&batch)),
            ("arrow", arrow_file(&batch)),
            ("x", arrow_stream(&batch)),
        ] {
            let loaded = load(&options(folder.write(&format!("{i}.{ending}"), bytes))).unwrap();
            assert_eq!(loaded.dataset.texts.get(10), "text 10");
            let y: Vec<f64> = (0..n).map(|i| f64::from(i % 7)).collect();
            assert_eq!(loaded.dataset.y, y, "{} {}", text.data_type(), target.data_type());
        }
    }
    let batch = RecordBatch::try_from_iter([("text", text_columns[0].clone()), ("target", flags)]);
    let loaded = load(&options(folder.write("flags", parquet(&batch.unwrap())))).unwrap();
    let yes = Task::Binary { positive: "true".into(), negative: "false".into() };
    assert_eq!((loaded.dataset.task, loaded.dataset.y[3]), (yes, 1.0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn csv_gives_back_what_was_written(
        texts in prop::collection::vec("[ -~\u{a0}-\u{2ff}\n\"]{0,12}", 70..90),
        quotes in any::<bool>(),
    ) {
        let folder = Folder::new();
        let texts: Vec<String> = (0..).zip(texts).map(|(i, text)| format!("{i}{text}")).collect();
        let style = if quotes { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary };
        let mut writer = csv::WriterBuilder::new().quote_style(style).from_writer(Vec::new());
        writer.write_record(["id", "text", "target"]).unwrap();
        for (i, text) in texts.iter().enumerate() {
            writer.write_record([&i.to_string(), text, &(i % 5).to_string()]).unwrap();
        }
        let path = folder.write("rows.csv", writer.into_inner().unwrap());
        let loaded = load(&options(path)).unwrap();
        prop_assert!(loaded.dataset.texts.iter().eq(texts.iter().map(String::as_str)));
    }
}
