//! From the features of a rule set to what has to be kept: dimensions, their streams, and what is read of each.
//!
//! A *dimension* is a list of key parts (`by`) at one level of dependency; a key of a dimension has one state record.
//! A *stream* is one time-ordered series of entries in that record. Features that enter the same events with the same
//! values share a stream, whatever their windows and aggregates, so equal sub-features are kept and computed once.

use super::demand::Demand;
use super::record::ERA;
use crate::expr::graph::{Graph, NodeId};
use crate::model::value::Type;
use crate::ruleset::types::{Aggregate, Feature, Named, Period, RuleSet, Window};

/// All dimensions of a rule set, in order of level.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The dimensions; those of a lower level come first.
    pub dimensions: Vec<Dimension>,
    /// Level of each feature: 0 where it needs no other feature.
    pub levels: Vec<usize>,
    /// Which events need which feature.
    pub demand: Demand,
}

/// One kind of key, and everything kept under it.
#[derive(Debug, Clone)]
pub struct Dimension {
    /// The parts of the key under which events enter; empty: one key for all events.
    pub by: Vec<Named>,
    /// Other keys of the same dimension under which its features are read.
    pub read_by: Vec<Vec<Named>>,
    /// Level of dependency.
    pub level: usize,
    /// What is kept per key.
    pub streams: Vec<Stream>,
}

/// What one entry of a stream carries besides its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cell {
    /// Nothing: entries are counted or their times used.
    Unit,
    /// An i64, coded as [`Coding`] says.
    Number(Coding),
    /// A 127-bit hash of a value, and whether a later entry has the same value.
    Hash,
    /// Latitude and longitude.
    Place,
    /// The bytes of a string.
    Text,
    /// An IP address.
    Address,
}

/// How an expression's value becomes the i64 of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Coding {
    /// As it is (int, money, duration, timestamp, bool).
    Plain,
    /// A double as fixed point with six decimals.
    Fixed,
    /// A double as an integer of the same order.
    Ordered,
    /// The bits of a double.
    Bits,
}

/// Which entries are still needed once no event older than them can come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Keep {
    /// All that a window may hold.
    All,
    /// The newest.
    Newest,
    /// The oldest.
    Oldest,
    /// The newest of each value.
    NewestPerValue,
    /// None: they are added to running totals of the window's period.
    Totals(Window),
    /// The stream is a token bucket.
    Bucket {
        /// Tokens.
        capacity: i64,
        /// One token comes back per so many ms.
        leak: i64,
        /// Whether each value counts once per life.
        distinct: bool,
    },
}

/// One series of entries per key.
#[derive(Debug, Clone)]
pub struct Stream {
    /// What an entry carries.
    pub cell: Cell,
    /// The expression an entry's value comes from.
    pub of: Option<(NodeId, Type)>,
    /// Which events enter.
    pub filter: Option<NodeId>,
    /// Which events hide what was before.
    pub reset: Option<NodeId>,
    /// The feature whose own value, when it reaches the limit, hides what has arrived.
    pub reset_at: Option<i64>,
    /// What is kept.
    pub keep: Keep,
    /// How far back the farthest window reaches.
    pub reach: Reach,
    /// The longest delay of a window, ms.
    pub delay: i64,
    /// Silence beyond which nothing can be read any more, where that holds for all reads.
    pub gap: Option<i64>,
    /// Whether times are kept in 64 bits instead of 31.
    pub wide: bool,
    /// What is read.
    pub reads: Vec<Read>,
}

/// How far back entries are needed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    /// Longest sliding window, ms.
    pub sliding: i64,
    /// Calendar periods; none contains all others, as weeks cross months.
    pub periods: Vec<Period>,
    /// Without end.
    pub forever: bool,
}

/// One feature read from a stream.
#[derive(Debug, Clone)]
pub struct Read {
    /// Index of the feature.
    pub feature: usize,
    /// What is computed.
    pub aggregate: Aggregate,
    /// From when on.
    pub window: Window,
    /// Silence that hides, ms.
    pub gap: Option<i64>,
    /// The window ends this many ms before the event; such a window never holds the event itself.
    pub delay: Option<i64>,
    /// With fewer entries there is no value.
    pub least: u64,
    /// What the entries' numbers are.
    pub unit: Unit,
    /// Under which key: `None` the entering one, else index into [`Dimension::read_by`].
    pub key: Option<usize>,
    /// The conditions of [`Demand`] under which it is needed.
    pub wanted: u64,
}

impl Read {
    /// Whether the event itself is among the entries it reads.
    pub fn counts_itself(&self) -> bool {
        let by_table = match self.aggregate {
            Aggregate::Count | Aggregate::Sum | Aggregate::Mean | Aggregate::Stddev => true,
            Aggregate::Min | Aggregate::Max | Aggregate::Distinct | Aggregate::LeakyBucket { .. } => true,
            Aggregate::Last | Aggregate::First | Aggregate::SinceLast | Aggregate::SinceFirst => false,
            Aggregate::IsNew | Aggregate::Speed => false,
        };
        by_table && self.delay.is_none()
    }
}

/// What numbers mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Whole numbers, or nothing numeric.
    Whole,
    /// Minor units; 10^exponent of them are one major unit.
    Minor(u32),
    /// Doubles, coded.
    Double,
}

impl Plan {
    /// Lays out the features of a rule set. `spread` is how far (ms) below the newest event time an accepted event
    /// may lie.
    pub fn new(rules: &RuleSet, spread: i64) -> Plan {
        let levels = feature_levels(&rules.graph, &rules.features);
        let demand = Demand::new(rules, &levels);
        let mut dimensions: Vec<Dimension> = Vec::new();
        let mut order: Vec<usize> = (0..rules.features.len()).collect();
        order.sort_by_key(|&feature| levels[feature]);
        for index in order {
            let feature = &rules.features[index];
            let dimension = dimension_for(&mut dimensions, feature, levels[index]);
            add_feature(dimension, index, feature, rules.currency.exponent, demand.features[index]);
        }
        for stream in dimensions.iter_mut().flat_map(|dimension| &mut dimension.streams) {
            stream.wide = needs_wide_times(stream, spread);
        }
        Plan { dimensions, levels, demand }
    }

    /// Number of levels: how often features and expressions take turns.
    pub fn depth(&self) -> usize {
        self.levels.iter().map(|level| level + 1).max().unwrap_or(0)
    }
}

fn feature_levels(graph: &Graph, features: &[Feature]) -> Vec<usize> {
    let mut levels = vec![0; features.len()];
    // The loader refuses cycles, so the longest chain is at most the number of features.
    for _ in 0..features.len() {
        let nodes = graph.levels(|feature| levels[feature]);
        let next: Vec<usize> = features
            .iter()
            .map(|feature| {
                feature.values().chain(feature.conditions()).map(|node| nodes[node as usize]).max().unwrap_or(0)
            })
            .collect();
        if next == levels {
            break;
        }
        levels = next;
    }
    levels
}

fn dimension_for<'a>(dimensions: &'a mut Vec<Dimension>, feature: &Feature, level: usize) -> &'a mut Dimension {
    let known = dimensions.iter().position(|dimension| dimension.by == feature.by && dimension.level == level);
    let index = known.unwrap_or_else(|| {
        dimensions.push(Dimension { by: feature.by.clone(), read_by: Vec::new(), level, streams: Vec::new() });
        dimensions.len() - 1
    });
    &mut dimensions[index]
}

fn add_feature(dimension: &mut Dimension, index: usize, feature: &Feature, exponent: u32, wanted: u64) {
    let key = feature.read_by.as_ref().map(|parts| {
        let known = dimension.read_by.iter().position(|other| other == parts);
        known.unwrap_or_else(|| {
            dimension.read_by.push(parts.clone());
            dimension.read_by.len() - 1
        })
    });
    let read = Read {
        feature: index,
        aggregate: feature.aggregate,
        window: feature.window,
        gap: feature.gap,
        delay: feature.delay,
        least: feature.least,
        unit: unit_of(feature, exponent),
        key,
        // Its own value may be what hides entries from later events.
        wanted: if feature.reset_at.is_some() { u64::MAX } else { wanted },
    };
    let stream = stream_for(dimension, feature);
    stream.delay = stream.delay.max(feature.delay.unwrap_or(0));
    stream.gap = if stream.reads.is_empty() { feature.gap } else { stream.gap.and_then(|g| Some(g.max(feature.gap?))) };
    widen(&mut stream.reach, feature.window);
    stream.reads.push(read);
}

fn unit_of(feature: &Feature, exponent: u32) -> Unit {
    match feature.of.map(|(_, kind)| kind) {
        Some(Type::Money) => Unit::Minor(exponent),
        Some(Type::Double) => Unit::Double,
        _ => Unit::Whole,
    }
}

fn stream_for<'a>(dimension: &'a mut Dimension, feature: &Feature) -> &'a mut Stream {
    let cell = cell_of(feature);
    let keep = keep_of(feature);
    // Bucket state and `reset_at` belong to one feature alone.
    let alone = feature.reset_at.is_some() || matches!(keep, Keep::Bucket { .. });
    let of = feature.of.filter(|_| cell != Cell::Unit || matches!(keep, Keep::Bucket { .. }));
    let known = dimension.streams.iter().position(|stream| {
        !alone
            && stream.reset_at.is_none()
            && (stream.cell, stream.of, stream.filter) == (cell, of, feature.filter)
            && (stream.reset, stream.keep) == (feature.reset, keep)
    });
    let index = known.unwrap_or_else(|| {
        dimension.streams.push(Stream {
            cell,
            of,
            filter: feature.filter,
            reset: feature.reset,
            reset_at: feature.reset_at,
            keep,
            reach: Reach::default(),
            delay: 0,
            gap: None,
            wide: true,
            reads: Vec::new(),
        });
        dimension.streams.len() - 1
    });
    &mut dimension.streams[index]
}

fn cell_of(feature: &Feature) -> Cell {
    let kind = feature.of.map(|(_, kind)| kind);
    match (feature.aggregate, kind) {
        (Aggregate::Count | Aggregate::SinceLast | Aggregate::SinceFirst, _) => Cell::Unit,
        (Aggregate::LeakyBucket { .. }, Some(_)) => Cell::Hash,
        (Aggregate::LeakyBucket { .. }, None) => Cell::Unit,
        (Aggregate::Distinct | Aggregate::IsNew, _) => Cell::Hash,
        (Aggregate::Speed, _) => Cell::Place,
        (Aggregate::Last | Aggregate::First, Some(Type::String)) => Cell::Text,
        (Aggregate::Last | Aggregate::First, Some(Type::Ip)) => Cell::Address,
        (Aggregate::Last | Aggregate::First, Some(Type::Double)) => Cell::Number(Coding::Bits),
        (Aggregate::Min | Aggregate::Max, Some(Type::Double)) => Cell::Number(Coding::Ordered),
        (Aggregate::Sum | Aggregate::Mean | Aggregate::Stddev, Some(Type::Double)) => Cell::Number(Coding::Fixed),
        (Aggregate::Last | Aggregate::First | Aggregate::Min | Aggregate::Max, _) => Cell::Number(Coding::Plain),
        (Aggregate::Sum | Aggregate::Mean | Aggregate::Stddev, _) => Cell::Number(Coding::Plain),
    }
}

fn keep_of(feature: &Feature) -> Keep {
    let sliding = matches!(feature.window, Window::Sliding(_));
    match feature.aggregate {
        Aggregate::LeakyBucket { capacity, leak } => Keep::Bucket { capacity, leak, distinct: feature.of.is_some() },
        Aggregate::Last | Aggregate::SinceLast => Keep::Newest,
        Aggregate::Speed if feature.gap.is_none() => Keep::Newest,
        Aggregate::Distinct | Aggregate::IsNew if feature.gap.is_none() => Keep::NewestPerValue,
        Aggregate::First | Aggregate::SinceFirst if feature.gap.is_none() && !sliding => Keep::Oldest,
        Aggregate::Count | Aggregate::Sum | Aggregate::Mean | Aggregate::Stddev | Aggregate::Min | Aggregate::Max
            if feature.gap.is_none() && !sliding =>
        {
            Keep::Totals(feature.window)
        }
        Aggregate::Count | Aggregate::Sum | Aggregate::Mean | Aggregate::Stddev | Aggregate::Min => Keep::All,
        Aggregate::Max | Aggregate::Distinct | Aggregate::IsNew | Aggregate::Speed => Keep::All,
        Aggregate::First | Aggregate::SinceFirst => Keep::All,
    }
}

fn widen(reach: &mut Reach, window: Window) {
    match window {
        Window::Sliding(length) => reach.sliding = reach.sliding.max(length),
        Window::Calendar(period) if reach.periods.contains(&period) => {}
        Window::Calendar(period) => reach.periods.push(period),
        Window::Lifetime => reach.forever = true,
    }
}

/// Times are kept modulo 2^31 ms below the key's newest time where everything kept lies within that; a stream that is
/// not touched is trimmed once per era.
fn needs_wide_times(stream: &Stream, spread: i64) -> bool {
    let reach = &stream.reach;
    reach.forever
        || !reach.periods.is_empty()
        || reach.sliding.saturating_add(spread).saturating_add(ERA) >= (1 << 31) - 1
}
