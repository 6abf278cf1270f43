//! How sure a model is of yes, from the log-probabilities of its tokens.

use super::verdict::of_word;
use crate::question::TokenLogprobs;

/// P(yes) / (P(yes) + P(no)) at the first token that is a verdict; `None` if none is.
pub fn p_yes(tokens: &[TokenLogprobs]) -> Option<f64> {
    at_first_verdict(tokens)
}

/// The same after the id `"id":` in an answer such as `{"1": true, "2": false}`.
pub fn p_yes_of(id: usize, tokens: &[TokenLogprobs]) -> Option<f64> {
    let mark = format!("\"{id}\"");
    let mut text = String::new();
    for (place, token) in tokens.iter().enumerate() {
        text.push_str(&token.token);
        // The mark ends in this token: the verdict is in one of those that follow.
        if text.contains(&mark) {
            let rest = &tokens[place + 1..];
            let end = rest.iter().position(|t| t.token.contains(',')).map_or(rest.len(), |n| n + 1);
            return at_first_verdict(&rest[..end]);
        }
    }
    None
}

fn at_first_verdict(tokens: &[TokenLogprobs]) -> Option<f64> {
    let plain =
        |token: &str| token.trim_matches(|c: char| !c.is_alphanumeric()).to_ascii_lowercase();
    let answer = tokens.iter().find(|t| of_word(&plain(&t.token)).is_some())?;
    let mut sums = [0.0, 0.0];
    for (token, logprob) in &answer.top {
        if let Some(verdict) = of_word(&plain(token)) {
            sums[usize::from(verdict)] += logprob.exp();
        }
    }
    let sum = sums[0] + sums[1];
    (sum > 0.0).then(|| sums[1] / sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(token: &str, top: &[(&str, f64)]) -> TokenLogprobs {
        let top = top.iter().map(|&(t, p)| (t.to_owned(), f64::ln(p))).collect();
        TokenLogprobs { token: token.into(), top }
    }

    #[test]
    fn all_that_mean_yes_count_against_all_that_mean_no() {
        let tokens = [
            token("**", &[("**", 1.0)]),
            token("Yes", &[("Yes", 0.5), (" yes", 0.1), ("No", 0.2), ("Maybe", 0.2)]),
        ];
        assert!((p_yes(&tokens).unwrap() - 0.75).abs() < 1e-12);
        assert_eq!(p_yes(&tokens[..1]), None);
        assert_eq!(p_yes(&[]), None);
    }

    #[test]
    fn each_id_has_its_own_probability() {
        let yes = |p: f64| token("true", &[("true", p), ("false", 1.0 - p)]);
        let plain = |text: &str| token(text, &[(text, 1.0)]);
        let tokens = [
            plain("{\""),
            plain("1"),
            plain("\":"),
            yes(0.9),
            plain(","),
            plain(" \"2"),
            plain("\": "),
            yes(0.25),
            plain("}"),
        ];
        assert!((p_yes_of(1, &tokens).unwrap() - 0.9).abs() < 1e-12);
        assert!((p_yes_of(2, &tokens).unwrap() - 0.25).abs() < 1e-12);
        assert_eq!(p_yes_of(3, &tokens), None);
    }
}
