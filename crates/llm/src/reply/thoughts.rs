//! Thoughts that a model writes down before its answer.

const OPEN: &str = "<think>";
const CLOSE: &str = "</think>";

/// What follows the last thought; `None` if a thought never ends, for then there is no answer.
pub fn strip(text: &str) -> Option<&str> {
    let answer = text.rfind(CLOSE).map_or(text, |at| &text[at + CLOSE.len()..]);
    (!answer.contains(OPEN)).then_some(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trap_21_only_what_follows_the_last_thought_counts() {
        for (text, expected) in [
            ("yes", Some("yes")),
            ("<think>no?</think>yes", Some("yes")),
            ("no? hm</think>\nyes", Some("\nyes")),
            ("<think>a</think>b<think>c</think>d", Some("d")),
            ("<think>no, wait", None),
            ("<think>a</think>b<think>c", None),
        ] {
            assert_eq!(strip(text), expected, "{text}");
        }
    }
}
