//! A table for LaTeX with the package booktabs: a float, or `longtable` where it may not fit a page.

use std::fmt::Write;

use super::display::Shown;
use super::visible::visible;

/// Rows that fit a page.
const PAGE: usize = 25;
/// Letters of a cell in a column that does not wrap.
const NARROW: usize = 30;
/// Share of the line that all columns that wrap have together.
const WIDE: f64 = 0.32;

pub(super) fn write(table: &Shown) -> String {
    let is_long = table.rows.len() > PAGE;
    let body = if is_long { long(table) } else { float(table) };
    let packages = if is_long { "array,booktabs,longtable" } else { "array,booktabs" };
    let mut text = format!(
        "% The table {} of a run, by hypothesaes {}.\n% \\usepackage{{{packages}}}\n",
        table.name,
        env!("CARGO_PKG_VERSION")
    );
    if !body.is_ascii() {
        text += "% It has letters beyond ASCII: compile it with lualatex or xelatex, in a font that has \
                 them.\n";
    }
    text + &body
}

fn float(table: &Shown) -> String {
    let mut text = format!(
        "\\begin{{table}}[htbp]\n  \\centering\\footnotesize\\setlength{{\\tabcolsep}}{{4pt}}\n  \\caption{{{}}}\n  \
         \\label{{tab:{}}}\n  \\begin{{tabular}}{{{}}}\n  \\toprule\n{}  \\midrule\n",
        escaped(&table.caption),
        table.name,
        columns(table),
        heads(table)
    );
    rows(&mut text, table);
    text += "  \\bottomrule\n  \\end{tabular}\n";
    text += &notes(table);
    text += "\\end{table}\n";
    text
}

fn long(table: &Shown) -> String {
    let heads = heads(table);
    let mut text = format!(
        "\\begingroup\\footnotesize\\setlength{{\\tabcolsep}}{{4pt}}\n\\begin{{longtable}}{{{}}}\n  \
         \\caption{{{}}}\\label{{tab:{}}}\\\\\n  \\toprule\n{heads}  \\midrule\n  \\endfirsthead\n  \
         \\toprule\n{heads}  \\midrule\n  \\endhead\n  \\midrule\n  \
         \\multicolumn{{{}}}{{r@{{}}}}{{\\emph{{continued}}}} \\\\\n  \\endfoot\n  \\bottomrule\n  \
         \\endlastfoot\n",
        columns(table),
        escaped(&table.caption),
        table.name,
        table.heads.len()
    );
    rows(&mut text, table);
    text += "\\end{longtable}\n";
    text += &notes(table);
    text += "\\endgroup\n";
    text
}

/// Numbers to the right, words to the left; long ones wrap.
fn columns(table: &Shown) -> String {
    let wraps = |j: usize| {
        !table.is_right[j] && table.rows.iter().any(|row| row[j].chars().count() > NARROW)
    };
    let n_wide = (0..table.heads.len()).filter(|&j| wraps(j)).count().max(1);
    let width = WIDE / n_wide as f64;
    let column = |j: usize| match (table.is_right[j], wraps(j)) {
        (true, _) => "r".to_owned(),
        (false, false) => "l".to_owned(),
        (false, true) => format!(">{{\\raggedright\\arraybackslash}}p{{{width:.2}\\linewidth}}"),
    };
    format!("@{{}}{}@{{}}", (0..table.heads.len()).map(column).collect::<String>())
}

fn heads(table: &Shown) -> String {
    line(&table.heads.iter().map(|head| escaped(head)).collect::<Vec<_>>())
}

fn rows(text: &mut String, table: &Shown) {
    for (i, cells) in table.rows.iter().enumerate() {
        if let Some((_, title)) = table.groups.iter().find(|(before, _)| *before == i) {
            let gap = if i == 0 { "" } else { "\\addlinespace " };
            let (n, title) = (table.heads.len(), escaped(title));
            let _ =
                writeln!(text, "  {gap}\\multicolumn{{{n}}}{{@{{}}l}}{{\\emph{{{title}}}}} \\\\");
        }
        let cell = |(j, cell): (usize, &String)| {
            if table.is_right[j] { number(cell) } else { escaped(cell) }
        };
        *text += &line(&cells.iter().enumerate().map(cell).collect::<Vec<_>>());
    }
}

/// A row. `\\` would take a bracket or star that comes after it for its own.
fn line(cells: &[String]) -> String {
    let first = cells.first().map_or("", |cell| cell.trim_start());
    let guard = if first.starts_with(['[', '*']) { "{}" } else { "" };
    format!("  {guard}{} \\\\\n", cells.join(" & "))
}

fn notes(table: &Shown) -> String {
    let notes: Vec<String> = table.notes.iter().map(|note| escaped(note)).collect();
    if notes.is_empty() {
        return String::new();
    }
    format!(
        "  \\par\\smallskip\\noindent\n  \\begin{{minipage}}{{\\linewidth}}\\footnotesize\n  \\emph{{Notes.}} {}\n  \
         \\end{{minipage}}\n",
        notes.join("\n  ")
    )
}

/// A number with a minus sign rather than a hyphen.
fn number(text: &str) -> String {
    escaped(text).replace("-{}", "-").replace('-', "$-$")
}

/// Nothing in `text` is a command, and no two letters of it become one.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    let mut is_open = false;
    let text = visible(text);
    let mut letters = text.chars().peekable();
    while let Some(c) = letters.next() {
        match c {
            '\\' => out.push_str("\\textbackslash{}"),
            '~' => out.push_str("\\textasciitilde{}"),
            '^' => out.push_str("\\textasciicircum{}"),
            '<' => out.push_str("\\textless{}"),
            '>' => out.push_str("\\textgreater{}"),
            '|' => out.push_str("\\textbar{}"),
            '`' => out.push_str("\\textasciigrave{}"),
            '"' => {
                out.push_str(if is_open { "''" } else { "``" });
                is_open = !is_open;
            }
            // Two would become a dash, or another quotation mark.
            '-' | '\'' if letters.peek() == Some(&c) => {
                out.push(c);
                out.push_str("{}");
            }
            '{' | '}' | '$' | '&' | '#' | '_' | '%' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}
