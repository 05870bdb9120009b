//! What was found, for people: figures by part, and the claims with their goals.

use comfy_table::Table;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;

/// A line of a table.
#[derive(Debug, Clone)]
pub struct Row<const N: usize> {
    /// What was measured.
    pub what: String,
    /// Its figures; `None` where there is none.
    pub cells: [Option<f64>; N],
}

/// Something that is wanted.
#[derive(Debug, Clone)]
pub struct Claim {
    what: String,
    value: f64,
    /// Nothing, or a limit and whether it is the least.
    goal: Option<(f64, bool)>,
    unit: &'static str,
}

impl Claim {
    /// Not more than a limit.
    pub fn at_most(what: String, value: f64, limit: f64, unit: &'static str) -> Claim {
        Claim { what, value, goal: Some((limit, false)), unit }
    }

    /// Not less than a limit.
    pub fn at_least(what: String, value: f64, limit: f64, unit: &'static str) -> Claim {
        Claim { what, value, goal: Some((limit, true)), unit }
    }

    /// Only to be known.
    pub fn figure(what: String, value: f64, unit: &'static str) -> Claim {
        Claim { what, value, goal: None, unit }
    }
}

/// Findings in the order they were made.
#[derive(Debug, Default)]
pub struct Report {
    speeds: Vec<Row<4>>,
    latencies: Vec<Row<6>>,
    claims: Vec<Claim>,
}

impl Report {
    /// Events/s, our CPU per event, the broker's, events per second of our CPU.
    pub fn speed(&mut self, row: Row<4>) {
        self.speeds.push(row);
    }

    /// Three percentiles and the greatest of the latency, processors that we and the broker kept busy.
    pub fn latency(&mut self, row: Row<6>) {
        self.latencies.push(row);
    }

    /// Adds a claim.
    pub fn claim(&mut self, claim: Claim) {
        self.claims.push(claim);
    }

    /// All tables that hold something.
    pub fn text(&self) -> String {
        let speed = ["backlog", "events/s", "our CPU, us/event", "broker's CPU, us/event", "events per s of our CPU"];
        let latency = ["produce to visible", "p50, ms", "p99, ms", "p99.9, ms", "max, ms", "our CPUs", "broker's CPUs"];
        [table(&speed, &self.speeds), table(&latency, &self.latencies), self.claims()].concat()
    }

    fn claims(&self) -> String {
        if self.claims.is_empty() {
            return String::new();
        }
        let mut table = empty(&["claim", "measured", "unit", "goal", ""]);
        for Claim { what, value, goal, unit } in &self.claims {
            let is_met = goal.is_none_or(|(limit, least)| if least { *value >= limit } else { *value <= limit });
            let wanted = goal.map_or(String::new(), |(limit, least)| {
                format!("at {} {}", if least { "least" } else { "most" }, shown(limit))
            });
            let verdict = if is_met { "" } else { "missed" };
            table.add_row([what.as_str(), &shown(*value), unit, &wanted, verdict]);
        }
        format!("{table}\n")
    }
}

fn table<const N: usize>(header: &[&str], rows: &[Row<N>]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut table = empty(header);
    for Row { what, cells } in rows {
        let cells = cells.iter().map(|cell| cell.map_or(String::new(), shown));
        table.add_row(std::iter::once(what.clone()).chain(cells));
    }
    format!("{table}\n")
}

fn empty(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY).set_header(header.iter().copied());
    table
}

fn shown(value: f64) -> String {
    if value.abs() < 100.0 { format!("{value:.2}") } else { format!("{value:.0}") }
}
