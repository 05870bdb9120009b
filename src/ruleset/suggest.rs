//! Wording of suggestions: "did you mean", and lists of what is allowed.

use crate::expr::nearest;

/// "did you mean `x`?", where something is near.
pub fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    // Very long words are never typing errors, and comparing them costs the product of the lengths.
    if word.len() > 256 {
        return None;
    }
    nearest(word, known).map(|other| format!("did you mean `{other}`?"))
}

/// Words as `a`, `b` or `c`.
pub fn one_of(words: &[&str]) -> String {
    match words {
        [] => "nothing".to_string(),
        [only] => format!("`{only}`"),
        [first @ .., last] => {
            let first: Vec<String> = first.iter().map(|word| format!("`{word}`")).collect();
            format!("{} or `{last}`", first.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_suggested() {
        let known = ["window", "where", "reset", "read_by"];
        for (word, expected) in
            [("windw", Some("window")), ("were", Some("where")), ("rest", Some("reset")), ("xyzzy", None)]
        {
            let expected = expected.map(|near: &str| format!("did you mean `{near}`?"));
            assert_eq!(did_you_mean(word, known), expected, "{word}");
        }
    }

    #[test]
    fn words_are_listed() {
        assert_eq!(one_of(&["a", "b", "c"]), "`a`, `b` or `c`");
        assert_eq!(one_of(&["a"]), "`a`");
    }
}
