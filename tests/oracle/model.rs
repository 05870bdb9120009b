//! Features, straight from their definitions: every read scans all accepted events.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::aggregate::{self, Entry};
use super::decode::Event;
use super::eval::{Scope, compare_values, evaluate, is_true};
use super::kind::zero;
use super::number::{millionths, minor_digits};
use super::rules::{Feature, RuleSet};
use super::texts::{By, Window};
use super::time::period_start;
use super::value::{Value, parse_ip, same_network};

/// An accepted event with everything that was worked out for it when it arrived.
struct Row {
    event: Event,
    behind: i64,
    values: RefCell<BTreeMap<String, Option<Value>>>,
    traces: RefCell<BTreeMap<String, Rc<Trace>>>,
}

/// What an event is to a feature.
#[derive(Debug)]
struct Trace {
    /// Under which key it enters.
    key: Option<Vec<Value>>,
    entry: bool,
    /// `of`, or the bucket's `distinct`.
    carried: Option<Value>,
    reset: bool,
}

/// All accepted events so far.
pub struct History<'a> {
    pub rules: &'a RuleSet,
    rows: Vec<Row>,
}

/// The names of one event.
pub struct View<'a> {
    history: &'a History<'a>,
    row: usize,
}

impl<'a> History<'a> {
    /// No events yet.
    pub fn new(rules: &'a RuleSet) -> Self {
        History { rules, rows: Vec::new() }
    }

    /// Adds an accepted event and works out all its derived values and features.
    pub fn accept(&mut self, event: Event) {
        let highest = self.rows.iter().map(|row| row.event.time()).max();
        let behind = highest.map_or(0, |highest| (highest - event.time()).max(0));
        self.rows.push(Row { event, behind, values: RefCell::default(), traces: RefCell::default() });
        let row = self.rows.len() - 1;
        for (name, feature) in &self.rules.features {
            self.value(row, name);
            self.trace(row, name, feature);
        }
    }

    /// The accepted events in order of arrival.
    pub fn events(&self) -> impl Iterator<Item = &Event> {
        self.rows.iter().map(|row| &row.event)
    }

    /// The newest event's names.
    pub fn newest(&'a self) -> View<'a> {
        View { history: self, row: self.rows.len() - 1 }
    }

    fn time(&self, row: usize) -> i64 {
        self.rows[row].event.time()
    }

    fn value(&self, row: usize, name: &str) -> Option<Value> {
        if let Some(known) = self.rows[row].values.borrow().get(name) {
            return known.clone();
        }
        let view = View { history: self, row };
        let value = match (self.rules.features.get(name), self.rules.derive.get(name)) {
            (Some(feature), _) => self.read(row, name, feature),
            (_, Some(cel)) => evaluate(&cel.0, &view).ok(),
            _ if name == "behind" => Some(Value::Duration(self.rows[row].behind)),
            _ => self.rows[row].event.fields.get(name).cloned(),
        };
        self.rows[row].values.borrow_mut().insert(name.to_owned(), value.clone());
        value
    }

    fn key(&self, row: usize, by: &By) -> Option<Vec<Value>> {
        by.0.iter().map(|name| self.value(row, name)).collect()
    }

    fn trace(&self, row: usize, name: &str, feature: &Feature) -> Rc<Trace> {
        if let Some(known) = self.rows[row].traces.borrow().get(name) {
            return known.clone();
        }
        let view = View { history: self, row };
        let key = self.key(row, &feature.by);
        let reset = key.is_some() && feature.reset.as_ref().is_some_and(|cel| is_true(&cel.0, &view));
        let carried = feature.carried().and_then(|expr| evaluate(expr, &view).ok());
        let wanted = feature.filter.as_ref().is_none_or(|cel| is_true(&cel.0, &view));
        let usable = feature.carried().is_none() || carried.as_ref().is_some_and(|value| counts(feature, value));
        let trace = Rc::new(Trace { entry: key.is_some() && wanted && usable && !reset, key, carried, reset });
        self.rows[row].traces.borrow_mut().insert(name.to_owned(), trace.clone());
        trace
    }

    fn read(&self, row: usize, name: &str, feature: &Feature) -> Option<Value> {
        let key = self.key(row, feature.read_by.as_ref().unwrap_or(&feature.by))?;
        let view = View { history: self, row };
        if feature.aggregate == "leaky_bucket" {
            return Some(Value::Bool(self.overflows(row, name, feature, &key)));
        }
        let own = || feature.carried().and_then(|expr| evaluate(expr, &view).ok());
        let entries = self.entries(row, name, feature, &key);
        let zero = feature.carried().and_then(|expr| zero(expr, self.rules));
        let now =
            aggregate::Now { time: self.time(row), own: &own, place: self.place(row), zero, digits: view.digits() };
        let enough = entries.len() as i64 >= feature.least.unwrap_or(0);
        enough.then(|| aggregate::value(&feature.aggregate, &entries, &now)).flatten()
    }

    fn place(&self, row: usize) -> Option<(f64, f64)> {
        match (self.value(row, "lat"), self.value(row, "lon")) {
            (Some(Value::Double(lat)), Some(Value::Double(lon))) => Some((lat, lon)),
            _ => None,
        }
    }

    /// The entries a read by the event at `row` sees, in order of arrival.
    fn entries(&self, row: usize, name: &str, feature: &Feature, key: &[Value]) -> Vec<Entry> {
        let time = self.time(row);
        let standing = self.standing(row, name, feature, key);
        let silence = self.silence(time, feature, &standing);
        let earliest = window_start(time, feature, self.rules);
        let latest = i128::from(time) - i128::from(feature.delay.map_or(0, |pause| pause.0));
        let own_counts = feature.delay.is_none() && aggregate::counts_own(&feature.aggregate);
        let seen = |&at: &usize| {
            let entered = i128::from(self.time(at));
            (at < row || own_counts) && earliest <= entered && entered <= latest && silence <= entered
        };
        let entry = |at: usize| Entry {
            time: self.time(at),
            arrival: at,
            value: self.trace(at, name, feature).carried.clone(),
            place: self.place(at),
        };
        standing.into_iter().filter(seen).map(entry).collect()
    }

    /// Entries of the key up to the reading time, whatever the window, that no reset hides.
    fn standing(&self, row: usize, name: &str, feature: &Feature, key: &[Value]) -> Vec<usize> {
        let time = self.time(row);
        let traces: Vec<_> = (0..=row).map(|at| self.trace(at, name, feature)).collect();
        let of_key = |at: usize| traces[at].key.as_deref() == Some(key) && self.time(at) <= time;
        let resets: Vec<_> = (0..=row).filter(|&at| of_key(at) && traces[at].reset).collect();
        let reached: Vec<_> = (0..row).filter(|&at| traces[at].entry && self.reaches(at, name, feature)).collect();
        let hidden = |at: usize| {
            resets.iter().any(|&reset| (self.time(at), at) < (self.time(reset), reset))
                || reached
                    .iter()
                    .any(|&by| traces[by].key.as_deref() == Some(key) && at <= by && self.time(at) <= self.time(by))
        };
        (0..=row).filter(|&at| of_key(at) && traces[at].entry && !hidden(at)).collect()
    }

    /// Whether an entry's own value reached `reset_at`.
    fn reaches(&self, row: usize, name: &str, feature: &Feature) -> bool {
        match (feature.reset_at, self.value(row, name)) {
            (Some(limit), Some(Value::Int(count))) => count >= limit,
            _ => false,
        }
    }

    /// Entries before this instant lie before a silence longer than `gap`.
    fn silence(&self, time: i64, feature: &Feature, standing: &[usize]) -> i128 {
        let Some(gap) = feature.gap else { return i128::MIN };
        let mut times: Vec<_> = standing.iter().map(|&at| self.time(at)).collect();
        times.sort_unstable();
        let mut after = time;
        for before in times.into_iter().rev() {
            if after - before > gap.0 {
                return i128::from(after);
            }
            after = before;
        }
        i128::MIN
    }

    /// Whether the event at `row` overflows its bucket: the key's whole life again.
    fn overflows(&self, row: usize, name: &str, feature: &Feature, key: &[Value]) -> bool {
        let mut bucket = aggregate::Bucket::new(
            feature.capacity.expect("a bucket has a capacity"),
            feature.leak.expect("a bucket leaks").0,
        );
        let mut overflowed = false;
        for at in 0..=row {
            let trace = self.trace(at, name, feature);
            overflowed = false;
            if trace.key.as_deref() != Some(key) {
                continue;
            }
            if trace.reset {
                bucket.empty();
            } else if trace.entry {
                overflowed = bucket.take(self.time(at), trace.carried.clone());
            }
        }
        overflowed
    }
}

/// Whether a carried value can enter: a double has to fit the fixed point where it is summed.
fn counts(feature: &Feature, value: &Value) -> bool {
    match value {
        Value::Double(double) if ["sum", "mean", "stddev"].contains(&feature.aggregate.as_str()) => {
            millionths(*double).is_some()
        }
        _ => true,
    }
}

/// First instant of the window of a read at `time`.
fn window_start(time: i64, feature: &Feature, rules: &RuleSet) -> i128 {
    match feature.window {
        Some(Window::Sliding(length)) => i128::from(time) - i128::from(length),
        Some(Window::Calendar(period)) => {
            i128::from(period_start(time, period, rules.ruleset.timezone.parse().expect("a known zone")))
        }
        Some(Window::Lifetime) | None => i128::MIN,
    }
}

impl Scope for View<'_> {
    fn lookup(&self, name: &str) -> Option<Value> {
        self.history.value(self.row, name)
    }

    fn listed(&self, list: &str, value: &Value) -> bool {
        let list = &self.history.rules.lists[list];
        match value {
            Value::Ip(ip) => list.values.iter().any(|cidr| {
                let (network, bits) = cidr.split_once('/').expect("an address and its bits");
                let network = parse_ip(network).expect("an address");
                same_network(*ip, network, bits.parse().expect("a number of bits"))
            }),
            other => list
                .values
                .iter()
                .any(|text| compare_values(other, &Value::Text(text.clone())).is_some_and(std::cmp::Ordering::is_eq)),
        }
    }

    fn digits(&self) -> u32 {
        minor_digits(&self.history.rules.ruleset.currency).expect("a known currency")
    }
}
