//! The wallet rule pack inside the program, so that an installed binary needs no files to show what it does.

use crate::ruleset::diagnostic::Diagnostic;
use crate::ruleset::load::{SourceFile, load};
use crate::ruleset::types::RuleSet;

/// A file of the pack: its name in the repository, and its text.
macro_rules! file {
    ($name:literal) => {
        (concat!("rules/wallet/", $name), include_str!(concat!("../../rules/wallet/", $name)))
    };
}

/// All files of the pack.
const FILES: [(&str, &str); 11] = [
    file!("credentials.yaml"),
    file!("devices.yaml"),
    file!("failures.yaml"),
    file!("freeze.yaml"),
    file!("merchants.yaml"),
    file!("settings.yaml"),
    file!("spending.yaml"),
    file!("spraying.yaml"),
    file!("takeover.yaml"),
    file!("timing.yaml"),
    file!("velocity.yaml"),
];

/// The wallet pack.
///
/// # Errors
/// Its faults; a test holds that there are none.
pub fn wallet() -> Result<RuleSet, Vec<Diagnostic>> {
    let file = |(path, text): &(&str, &str)| SourceFile { path: (*path).to_owned(), text: (*text).to_owned() };
    let files: Vec<SourceFile> = FILES.iter().map(file).collect();
    let no_list = |_: &str, name: &str| Err(format!("the list file `{name}` is not part of the program"));
    load(&files, &no_list).map(|loaded| loaded.rules)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rulefiles::load_paths;

    #[test]
    fn the_pack_is_that_of_the_repository() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/wallet");
        let loaded = load_paths(&[folder]).expect("a valid pack");
        assert_eq!(wallet().map(|rules| rules.id), Ok(loaded.rules.id));
    }
}
