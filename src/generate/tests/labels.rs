//! Labels and tables: what stands beside the events, and other ways of writing them.

use super::*;

/// Lines of both streams.
fn streams(options: &Options) -> [String; 2] {
    let mut streams = [String::new(), String::new()];
    let written = write_all::<OptionsError>(options, |stream, chunk, _| {
        streams[stream as usize] += std::str::from_utf8(chunk).expect("UTF-8");
        Ok(())
    });
    assert!(written.is_ok(), "{written:?}");
    streams
}

#[test]
fn labels_speak_of_every_event_of_an_attack() {
    let aside = Options { attacks: Attacks::each(1), labels: Labels::Aside { delay: 60_000 }, ..small() };
    let [events, labels] = streams(&aside);
    assert_eq!(events.as_bytes(), bytes(&Options { labels: Labels::None, ..aside.clone() }), "the events are the same");
    let labels: Vec<Value> = labels.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let of: BTreeMap<&str, &Value> = labels.iter().map(|label| (text(label, "ref"), label)).collect();
    assert_eq!(of.len(), labels.len(), "one each");
    let mut genuine = 0;
    for (told, event) in told(&aside) {
        let label = of.get(text(&event, "id"));
        genuine += u32::from(told.part.is_none() && label.is_some());
        let Some(part) = told.part else { continue };
        let label = label.expect("a label");
        assert_eq!(text(label, "label"), if part.act.is_some() { "fraud" } else { "genuine" });
        assert_eq!((&label["attack"], &label["damages"]), (&part.kind.name().into(), &part.damages.into()));
        assert_eq!(time(label), time(&event) + 60_000);
        for field in ["account", "counterparty", "device"] {
            assert_eq!(label[field], event[field], "{label}");
        }
    }
    assert!((20..200).contains(&genuine), "{genuine}");
}

#[test]
fn labels_among_the_events_come_when_their_time_has_come() {
    let delay = 3 * rhythm::HOUR;
    let among = Options { attacks: Attacks::each(1), labels: Labels::Among { delay }, ..small() };
    let [all, labels] = streams(&among);
    assert_eq!(labels, "");
    let (mut newest, mut seen, mut count) = (i64::MIN, BTreeMap::new(), 0);
    for line in all.lines() {
        let event: Value = serde_json::from_str(line).expect("JSON");
        seen.insert(text(&event, "id").to_owned(), time(&event));
        if event["type"] == "label" {
            count += 1;
            assert_eq!(seen.get(text(&event, "ref")), Some(&(time(&event) - delay)), "{event}");
            assert!(time(&event) >= newest, "{event}");
        }
        newest = newest.max(time(&event));
    }
    assert_eq!(all.lines().count(), 20_000 + count);
    let [_, aside] = streams(&Options { labels: Labels::Aside { delay }, ..among });
    assert_eq!(aside.lines().count(), count);
}

#[test]
fn tables_say_what_lines_say() {
    let options = Options { attacks: Attacks::each(1), labels: Labels::Among { delay: 1000 }, ..small() };
    let ([lines, _], [table, _]) = (streams(&options), streams(&Options { format: Format::Csv, ..options }));
    let mut rows = csv::Reader::from_reader(table.as_bytes());
    let names = rows.headers().expect("a header").clone();
    let mut count = 0;
    for (row, line) in rows.records().zip(lines.lines()) {
        let event: Value = serde_json::from_str(line).expect("JSON");
        let row = row.expect("as many cells as columns");
        let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let cells: BTreeMap<_, _> = names.iter().zip(&row).filter(|(_, cell)| !cell.is_empty()).collect();
        let fields = event.as_object().expect("an object");
        assert_eq!(cells.len(), fields.len(), "{line}");
        // Numbers are compared as written.
        assert!(
            fields.iter().all(|(name, value)| cells
                .get(name.as_str())
                .is_some_and(|cell| { *cell == plain(value) || cell.parse::<f64>().ok() == value.as_f64() })),
            "{line}\n{row:?}"
        );
        count += 1;
    }
    assert_eq!((count, table.lines().count()), (lines.lines().count(), lines.lines().count() + 1));
}
