//! The way in: files by value -> a [`RuleSet`], or everything that is wrong with them.
//!
//! The order matters: what a section names must have been read before it. Sections are read whatever the earlier
//! ones' faults, so that all faults come out at once.

use super::canonical::{Canonical, Fields, identity};
use super::context::{Context, Meaning};
use super::derive::{declare_section, read_derived};
use super::diagnostic::{Diagnostic, Faults};
use super::features::read_features;
use super::header::{Header, read_fields, read_header, read_rates, read_types};
use super::lists::{ReadList, read_lists};
use super::merge::{Merged, merge, nothing_to_load};
use super::outline::Outline;
use super::rules::read_rules;
use super::types::{Feature, Rule, RuleSet};
use crate::wire::Schema;

/// One rule file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Its name, as it should stand in diagnostics.
    pub path: String,
    /// Its content.
    pub text: String,
}

/// What loading gives.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The rule set.
    pub rules: RuleSet,
    /// What is probably not meant, sorted.
    pub warnings: Vec<Diagnostic>,
    /// The canonical text that [`RuleSet::id`] is the hash of.
    pub canonical: String,
    /// Where everything is written.
    pub outline: Outline,
}

/// Loads the merged files. `read_list` gives the text of a list file by the rule file's path and the name in it.
///
/// # Errors
/// All faults of all files, sorted by file, line and column; warnings are among them.
pub fn load(files: &[SourceFile], read_list: ReadList) -> Result<Loaded, Vec<Diagnostic>> {
    if files.is_empty() {
        return Err(vec![nothing_to_load()]);
    }
    let mut faults = Faults::default();
    let merged = merge(files, &mut faults);
    let header = read_header(&mut faults, &merged);
    let schema = Schema { currency: header.currency, rates: Default::default(), fields: Vec::new() };
    let mut context = Context::new(faults, schema, merged.incomplete);
    let sections = Sections::read(&mut context, &merged, &header, read_list);
    if context.faults.any_error() {
        return Err(context.faults.into_diagnostics());
    }
    let canonical = sections.canonical.to_text();
    let rules = RuleSet {
        id: identity(&header.name, &canonical),
        name: header.name,
        currency: header.currency,
        timezone: header.timezone,
        lateness: header.lateness,
        dedup: header.dedup,
        thresholds: header.thresholds,
        bounds: header.bounds,
        types: context.types.into_iter().collect(),
        schema: context.schema,
        graph: context.graph,
        features: sections.features,
        rules: sections.rules,
    };
    let outline = Outline::new(&context.faults, merged);
    Ok(Loaded { rules, warnings: context.faults.into_diagnostics(), canonical, outline })
}

/// The canonical text of the merged files.
///
/// # Errors
/// As [`load`].
pub fn canonical(files: &[SourceFile], read_list: ReadList) -> Result<String, Vec<Diagnostic>> {
    load(files, read_list).map(|loaded| loaded.canonical)
}

/// What comes out of the sections.
struct Sections {
    features: Vec<Feature>,
    rules: Vec<Rule>,
    canonical: Canonical,
}

impl Sections {
    fn read(context: &mut Context, merged: &Merged, header: &Header, read_list: ReadList) -> Sections {
        let mut fields = Fields::default();
        fields.put("ruleset", header.canonical());
        fields.put("rates", read_rates(context, merged, header.currency));
        fields.put("types", read_types(context, merged));
        fields.put("fields", read_fields(context, merged));
        let derived = declare_section(context, merged, ("derive", "derived value"), Meaning::Derived(None));
        let features = declare_section(context, merged, ("features", "feature"), Meaning::Feature(None));
        refuse_scores(context, merged);
        fields.put("lists", read_lists(context, merged, read_list));
        fields.put("derive", read_derived(context, &derived));
        let (features, canonical) = read_features(context, &features);
        fields.put("features", canonical);
        let (rules, canonical) = read_rules(context, merged);
        fields.put("rules", canonical);
        Sections { features, rules, canonical: fields.into() }
    }
}

/// Learned scores are part of the language, but not of this version.
fn refuse_scores(context: &mut Context, merged: &Merged) {
    for entry in merged.section("scores") {
        let message = format!("the score `{}`: `scores` are not supported by this version yet", entry.key.text);
        context.faults.error("unsupported", &entry.key.place, message).help("leave `scores` out".to_string());
        context.declare("score", &entry.key, Meaning::Feature(None));
    }
}
