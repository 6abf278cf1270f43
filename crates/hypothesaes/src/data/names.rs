//! Names in messages: lists that stay short, and the names nearest to a wrong one.

const LISTED: usize = 12;
const NEAR: f64 = 0.5;

/// "`a`, `b` and 3 more"; "none" if there is none.
pub(super) fn list(names: &[String]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    let shown: Vec<String> = names.iter().take(LISTED).map(|n| format!("`{}`", clip(n))).collect();
    match names.len().saturating_sub(LISTED) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Up to three names that look like `name`, the most alike first.
pub(crate) fn nearest(name: &str, names: &[String]) -> Vec<String> {
    let name = name.to_lowercase();
    let alike = |other: &String| {
        let other = other.to_lowercase();
        strsim::normalized_damerau_levenshtein(&name, &other)
            .max(strsim::jaro_winkler(&name, &other) - 0.3)
    };
    let mut near: Vec<(f64, &String)> =
        names.iter().map(|n| (alike(n), n)).filter(|(a, _)| *a >= NEAR).collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0));
    near.into_iter().take(3).map(|(_, n)| n.clone()).collect()
}

/// A value short enough for a message, on one line.
pub(super) fn clip(value: &str) -> String {
    const SHOWN: usize = 40;
    let mut letters = value.chars();
    let shown: String =
        letters.by_ref().take(SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if letters.next().is_some() { shown + "..." } else { shown }
}

/// A number of things with a comma every three digits.
pub(crate) fn count(n: usize) -> String {
    let digits = n.to_string();
    let groups = digits.as_bytes().rchunks(3).rev();
    let groups: Vec<&str> = groups.map(|g| str::from_utf8(g).expect("digits")).collect();
    groups.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(names: &[&str]) -> Vec<String> {
        names.iter().map(|&n| n.to_owned()).collect()
    }

    #[test]
    fn near_names_come_first() {
        let names = owned(&["review", "stars", "Star", "business"]);
        assert_eq!(nearest("star", &names), owned(&["Star", "stars"]));
        assert_eq!(nearest("zzz", &names), owned(&[]));
    }

    #[test]
    fn lists_stay_short() {
        assert_eq!(list(&owned(&["a", "b"])), "`a`, `b`");
        assert_eq!(list(&[]), "none");
        let many: Vec<String> = (0..20).map(|i| i.to_string()).collect();
        assert!(list(&many).ends_with("`11` and 8 more"));
        assert_eq!([7, 1000, 1_234_567].map(count), ["7", "1,000", "1,234,567"]);
        assert_eq!(clip(&"x\n".repeat(50)).len(), 43);
    }
}
