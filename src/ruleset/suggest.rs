//! "did you mean": the known word nearest to an unknown one.

/// The nearest of the known words, where one is near: at most a third of the letters differ.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = word.chars().count().max(3) / 3;
    let distances = known.into_iter().map(|other| (strsim::damerau_levenshtein(word, other), other));
    distances.filter(|(distance, _)| *distance <= limit).min().map(|(_, other)| other)
}

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
            [("windw", Some("window")), ("were", Some("where")), ("rest", Some("reset")), ("xyzzy", None), ("", None)]
        {
            assert_eq!(nearest(word, known), expected, "{word}");
        }
    }

    #[test]
    fn words_are_listed() {
        assert_eq!(one_of(&["a", "b", "c"]), "`a`, `b` or `c`");
        assert_eq!(one_of(&["a"]), "`a`");
    }
}
