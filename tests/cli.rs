//! The command line as a user meets it: each file of `tests/cli/` holds commands, what they print, and how they exit.
//!
//! `TRYCMD=overwrite cargo test --test cli` rewrites them; times and rates are left out as `[..]`.

#[test]
fn commands_print_what_is_written() {
    trycmd::TestCases::new().default_bin_name("lockkeeper").case("tests/cli/*.trycmd").case("tests/cli/*.toml");
}
