//! The JSON Schemas against everything shipped: what the loader and the decoder accept, a schema accepts; what they
//! refuse for a reason that a schema can state, it refuses.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use jsonschema::Validator;
use lockkeeper::ruleset::load::{SourceFile, load};
use lockkeeper::schema::{decision, event, rules};
use lockkeeper::wire::{built_in_fields, required_fields};
use serde_json::Value;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const MODELINE: &str = "# yaml-language-server: $schema=";
/// Faults of rule files that a schema cannot state although others of the same code are: what a fault rests on is
/// beyond one value.
const BEYOND: [&str; 18] = [
    "bucket-distinct-wrong-type",
    "currency-unknown",
    "currency-without-minor-unit",
    "duplicate-yaml-key",
    "feature-keyed-by-feature",
    "feature-read-by-other-length",
    "feature-read-by-other-type",
    "field-reserved-word",
    "list-bad-network",
    "list-bad-network-in-file",
    "lock-bad-factor",
    "lock-covers-by-other-type",
    "lock-target-is-a-feature",
    "merge-key",
    "no-ruleset",
    "rate-of-own-currency",
    "rate-of-unknown-currency",
    "timezone-unknown",
];
/// Codes of faults that lie in the form of a file.
const STATABLE: [&str; 8] = [
    "bad-name",
    "bad-value",
    "conflicting-keys",
    "missing-key",
    "option-not-taken",
    "unknown-key",
    "unsupported",
    "wrong-type",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn validator(schema: &Value) -> Result<Validator> {
    Ok(jsonschema::draft7::new(schema)?)
}

/// All files below a folder whose name ends so.
fn files(folder: &str, end: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(end) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// As editors read it: YAML 1.2, in which `off` is a text.
fn yaml(text: &str) -> Option<Value> {
    serde_saphyr::from_str_with_options(text, serde_saphyr::options! { strict_booleans: true }).ok()
}

fn faults(validator: &Validator, instance: &Value) -> Vec<String> {
    validator.iter_errors(instance).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn checked_in_schemas_are_those_of_the_verb() -> Result<()> {
    for (name, schema) in [("rules", rules::schema()), ("event", event::schema()), ("decision", decision::schema())] {
        let path = root().join(format!("schemas/{name}.json"));
        let expected = format!("{schema:#}\n");
        if std::env::var_os("BLESS").is_some() {
            fs::write(&path, &expected)?;
        }
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_lockkeeper")).args(["schema", name]).output()?;
        assert_eq!(String::from_utf8(output.stdout)?, expected);
        assert_eq!(fs::read_to_string(&path)?, expected, "BLESS=1 rewrites {}", path.display());
        assert!(jsonschema::draft7::meta::is_valid(&schema), "{name}");
    }
    Ok(())
}

#[test]
fn every_shipped_rule_file_names_its_schema_and_follows_it() -> Result<()> {
    let validator = validator(&rules::schema())?;
    let mut seen = 0;
    for folder in ["rules", "benches", "fixtures", "tests"] {
        for path in files(folder, ".yaml")? {
            let text = fs::read_to_string(&path)?;
            let Some(named) = text.lines().next().and_then(|line| line.strip_prefix(MODELINE)) else {
                assert!(is_no_rule_file(&path), "{} does not name its schema", path.display());
                continue;
            };
            let schema = path.parent().ok_or("a folder")?.join(named).canonicalize()?;
            assert_eq!(schema, root().join("schemas/rules.json").canonicalize()?, "{}", path.display());
            let instance = yaml(&text).ok_or("YAML")?;
            assert_eq!(faults(&validator, &instance), Vec::<String>::new(), "{}", path.display());
            seen += 1;
        }
    }
    assert!(seen >= 60, "only {seen} rule files were found");
    Ok(())
}

#[test]
fn rule_sets_and_features_of_the_documentation_follow_the_schema() -> Result<()> {
    let validator = validator(&rules::schema())?;
    let mut seen = 0;
    for page in files("docs", ".md")? {
        for block in fs::read_to_string(&page)?.split("\n```yaml ").skip(1) {
            let (info, rest) = block.split_once('\n').ok_or("a block")?;
            let text = rest.split("\n```").next().ok_or("its end")?;
            let text = match info {
                "rules" => text.to_owned(),
                "feature" => format!("features:\n  {}", text.replace('\n', "\n  ")),
                _ => continue,
            };
            let instance = yaml(&text).ok_or_else(|| format!("no YAML: {text}"))?;
            assert_eq!(faults(&validator, &instance), Vec::<String>::new(), "{text}");
            seen += 1;
        }
    }
    assert!(seen >= 20, "only {seen} blocks");
    Ok(())
}

/// Rule files that are bad on purpose, configurations, rule tests and data.
fn is_no_rule_file(path: &Path) -> bool {
    let text = path.to_string_lossy();
    let apart = ["fixtures/diagnostics/", "fixtures/crowdsec/", "tests/cli/", "tests/oracle/", "_test.yaml"];
    apart.iter().any(|part| text.contains(part))
}

/// The codes of the errors of one bad file, and whether the schema refuses it.
fn judge(validator: &Validator, path: &Path) -> Result<(BTreeSet<&'static str>, bool)> {
    let text = fs::read_to_string(path)?;
    let file = SourceFile { path: "x.yaml".to_owned(), text: text.clone() };
    let read_list = |_: &str, _: &str| Ok(String::new());
    let found = load(&[file], &read_list).err().unwrap_or_default();
    let codes = STATABLE.iter().filter(|code| found.iter().any(|fault| fault.code == **code)).copied().collect();
    let refused = yaml(&text).is_some_and(|instance| !validator.is_valid(&instance));
    Ok((codes, refused))
}

#[test]
fn what_the_loader_refuses_for_its_form_the_schema_refuses() -> Result<()> {
    let validator = validator(&rules::schema())?;
    let (mut refused, mut missed) = (0, Vec::new());
    for path in files("fixtures/diagnostics", ".yaml")? {
        if path.parent() != Some(&root().join("fixtures/diagnostics")) {
            continue;
        }
        let name = path.file_stem().ok_or("a name")?.to_string_lossy().into_owned();
        let (codes, is_refused) = judge(&validator, &path)?;
        refused += usize::from(is_refused);
        if !codes.is_empty() && is_refused == BEYOND.contains(&name.as_str()) {
            missed.push(format!("{name}: {codes:?}, refused: {is_refused}"));
        }
        if load(&[SourceFile { path: name.clone(), text: fs::read_to_string(&path)? }], &|_, _| Ok(String::new()))
            .is_ok()
        {
            assert!(!is_refused, "{name} loads");
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
    assert!(refused >= 45, "only {refused} are refused");
    Ok(())
}

/// A file with an unknown key in one mapping, and the path of that mapping in the schema.
const MAPPINGS: [(&str, &str, &str); 8] = [
    ("zzz: 1", "", ""),
    ("ruleset: { zzz: 1 }", "ruleset", ""),
    ("ruleset: { thresholds: { zzz: 1 } }", "ruleset", "thresholds"),
    ("ruleset: { bounds: { zzz: 1 } }", "ruleset", "bounds"),
    ("lists: { a: { zzz: 1 } }", "lists", "*"),
    ("features: { a: { aggregate: count, zzz: 1 } }", "features", "*"),
    ("rules: { a: { zzz: 1 } }", "rules", "*"),
    ("rules: { a: { lock: { zzz: 1 } } }", "rules", "*/lock"),
];

/// The keys that the loader says belong where it found an unknown one.
fn loader_keys(text: &str) -> Result<BTreeSet<String>> {
    let file = SourceFile { path: "x.yaml".to_owned(), text: text.to_owned() };
    let found = load(&[file], &|_, _| Ok(String::new())).err().unwrap_or_default();
    let fault = found.iter().find(|fault| fault.code == "unknown-key").ok_or_else(|| text.to_owned())?;
    let expected = fault.expected.as_deref().ok_or("what is expected")?;
    Ok(expected.split('`').skip(1).step_by(2).map(str::to_owned).collect())
}

fn schema_keys(schema: &Value, section: &str, rest: &str) -> BTreeSet<String> {
    let steps = [section].into_iter().chain(rest.split('/')).filter(|step| !step.is_empty());
    let found = steps.fold(schema, |schema, step| match step {
        "*" => &schema["additionalProperties"],
        name => &schema["properties"][name],
    });
    found["properties"].as_object().into_iter().flat_map(|properties| properties.keys().cloned()).collect()
}

#[test]
fn schema_and_loader_know_the_same_keys() -> Result<()> {
    let schema = rules::schema();
    let backoff = ("rules: { a: { lock: { backoff: { zzz: 1 } } } }", "rules", "*/lock/backoff");
    let mut keys = 0;
    for (text, section, rest) in MAPPINGS.into_iter().chain([backoff]) {
        let expected = loader_keys(text)?;
        assert_eq!(schema_keys(&schema, section, rest), expected, "{text}");
        keys += expected.len();
    }
    assert!(keys >= 60, "only {keys} keys");
    Ok(())
}

#[test]
fn every_key_is_described() {
    fn walk(schema: &Value, path: &str) {
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            assert!(property["description"].as_str().is_some_and(|text| text.len() > 5), "{path}/{name}");
            walk(property, &format!("{path}/{name}"));
            walk(&property["additionalProperties"], &format!("{path}/{name}/*"));
        }
    }
    walk(&rules::schema(), "");
    walk(&event::schema(), "");
    decision::schema()["oneOf"].as_array().into_iter().flatten().for_each(|line| walk(line, ""));
}

#[test]
fn an_event_has_the_fields_that_the_decoder_knows() {
    let schema = event::schema();
    let names: BTreeSet<&str> =
        schema["properties"].as_object().into_iter().flatten().map(|(name, _)| &**name).collect();
    assert_eq!(names, built_in_fields().collect());
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    assert_eq!(required, required_fields().collect::<Vec<_>>());
}

/// Records of the corpus that a schema cannot refuse: what is wrong is not the form of a value.
const BEYOND_EVENTS: [&str; 7] = [
    "exponent_amount.json",
    "huge_number_declared.json",
    "over_precise_amount.json",
    "overflowing_amount.json",
    "overflowing_conversion.json",
    "unknown_currency.json",
    "zone_id.json",
];

#[test]
fn records_of_the_corpus_are_judged_as_the_decoder_judges_them() -> Result<()> {
    let validator = validator(&event::schema())?;
    let mut judged = BTreeMap::new();
    for line in fs::read_to_string(root().join("fixtures/corpus/expected.tsv"))?.lines() {
        let (name, verdict) = line.split_once('\t').ok_or("a verdict")?;
        let bytes = fs::read(root().join("fixtures/corpus").join(name))?;
        // What is no JSON at all is no matter of a schema.
        let Ok(record) = serde_json::from_slice::<Value>(&bytes) else { continue };
        let is_form = verdict.starts_with("invalid_field") && !BEYOND_EVENTS.contains(&name);
        let valid = validator.is_valid(&record);
        if verdict == "accepted" || verdict.starts_with("invalid_field") {
            assert_eq!(valid, !is_form, "{name}: {verdict}, {:?}", faults(&validator, &record));
            *judged.entry(valid).or_insert(0) += 1;
        }
    }
    assert!(judged[&true] >= 8 && judged[&false] >= 10, "{judged:?}");
    Ok(())
}

/// The lines of a file of events or output, plain or compressed.
fn lines(path: &Path) -> Result<Vec<String>> {
    let bytes = fs::read(path)?;
    let text = match path.extension().and_then(|end| end.to_str()) {
        Some("zst") => zstd::decode_all(&bytes[..])?,
        Some("gz") => {
            let mut text = Vec::new();
            flate2::read::GzDecoder::new(&bytes[..]).read_to_end(&mut text)?;
            text
        }
        _ => bytes,
    };
    Ok(String::from_utf8_lossy(&text).lines().map(str::to_owned).collect())
}

#[test]
fn events_of_every_story_follow_the_schema() -> Result<()> {
    let validator = validator(&event::schema())?;
    let mut seen = 0;
    for end in ["events.jsonl", "events.jsonl.zst"] {
        for path in files("fixtures", end)? {
            // Bad input, and rejections worked through, are about events that are none.
            if ["bad-input", "rejections"].iter().any(|part| path.to_string_lossy().contains(part)) {
                continue;
            }
            for line in lines(&path)? {
                let faults = faults(&validator, &serde_json::from_str(&line)?);
                assert!(faults.is_empty(), "{}: {line}\n{faults:?}", path.display());
                seen += 1;
            }
        }
    }
    assert!(seen > 5000, "only {seen} events");
    Ok(())
}

#[test]
fn bad_input_is_refused_where_the_decoder_refuses_it() -> Result<()> {
    let validator = validator(&event::schema())?;
    let rejected: BTreeMap<String, String> = lines(&root().join("fixtures/bad-input/expected.jsonl"))?
        .iter()
        .map(|line| serde_json::from_str::<Value>(line))
        .filter_map(|record| record.ok().filter(|record| record["code"] == "invalid_field"))
        .map(|record| (record["position"].to_string(), record["field"].to_string()))
        .collect();
    let (mut refused, mut beyond) = (0, BTreeSet::new());
    for (number, line) in (1..).zip(lines(&root().join("fixtures/bad-input/events.jsonl"))?) {
        let Ok(record) = serde_json::from_str::<Value>(&line) else { continue };
        let Some(field) = rejected.get(&format!("\"fixtures/bad-input/events.jsonl:{number}\"")) else { continue };
        match validator.is_valid(&record) {
            true => drop(beyond.insert(field.trim_matches('"').to_owned())),
            false => refused += 1,
        }
    }
    // Fraction digits of a currency, an address, a whole number written with a fraction: not for a schema to say.
    assert_eq!((refused, beyond), (10, ["amount", "factors", "ip"].map(str::to_owned).into()));
    Ok(())
}

/// Output lines of all stories and worked examples.
fn output() -> Result<Vec<Value>> {
    let mut records = Vec::new();
    for path in files("fixtures", "expected.jsonl")? {
        for line in lines(&path)? {
            records.push(serde_json::from_str(&line)?);
        }
    }
    Ok(records)
}

#[test]
fn every_line_of_output_follows_the_schema() -> Result<()> {
    let validator = validator(&decision::schema())?;
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for record in output()? {
        assert!(validator.is_valid(&record), "{record}");
        let what = record.get("transition").or(record.get("code")).unwrap_or(&record["kind"]);
        *kinds.entry(what.as_str().unwrap_or_default().to_owned()).or_default() += 1;
    }
    let all = "decision locked extended unlocked unlock_refused released expired malformed too_large invalid_field late duplicate conflict";
    for kind in all.split(' ') {
        assert!(kinds.contains_key(kind), "no {kind} among {kinds:?}");
    }
    Ok(())
}

#[test]
fn a_line_with_a_key_too_few_or_too_many_is_refused() -> Result<()> {
    let validator = validator(&decision::schema())?;
    let optional = ["order", "proof", "by", "case"];
    let mut changed = 0;
    for record in output()?.into_iter().step_by(7) {
        let mut more = record.clone();
        more["zzz"] = 1.into();
        assert!(!validator.is_valid(&more), "{more}");
        for key in record.as_object().into_iter().flat_map(|members| members.keys()) {
            let mut less = record.clone();
            less.as_object_mut().map(|members| members.remove(key));
            let may_lack = optional.contains(&key.as_str()) || (key == "event" && record["kind"] == "rejected");
            assert_eq!(validator.is_valid(&less), may_lack, "without {key}: {record}");
            changed += 1;
        }
    }
    assert!(changed > 1000, "only {changed}");
    Ok(())
}

#[test]
fn an_eviction_follows_the_schema() -> Result<()> {
    let validator = validator(&decision::schema())?;
    let line = r#"{"kind":"evicted","key":{"account":"a1"},"last":"2026-01-05T09:00:00.000Z"}"#;
    let mut record: Value = serde_json::from_str(line)?;
    assert!(validator.is_valid(&record));
    record["event"] = "e1".into();
    assert!(!validator.is_valid(&record));
    Ok(())
}
