//! Duplicate detection: the ids of the last hour, by account.

use std::collections::hash_map::DefaultHasher;
use std::collections::{HashMap, VecDeque};
use std::hash::{Hash, Hasher};
use std::rc::Rc;

/// How long an id is remembered, ms.
const SPAN: i64 = 3_600_000;

/// Whether an account's id came before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    Never,
    Same,
    Different,
}

/// Ids with their time and a hash of the record's bytes.
#[derive(Debug, Default)]
pub struct Dedup {
    seen: HashMap<Rc<str>, (i64, u64)>,
    order: VecDeque<(i64, Rc<str>)>,
    key: String,
}

impl Dedup {
    /// Looks for the id and remembers it if it is new.
    pub fn look(&mut self, account: &str, id: &str, time: i64, record: &[u8]) -> Seen {
        self.evict(time);
        // U+0000 keeps the two apart.
        self.key.clear();
        self.key.extend([account, "\0", id]);
        let mut hasher = DefaultHasher::new();
        record.hash(&mut hasher);
        let hash = hasher.finish();
        match self.seen.get(self.key.as_str()) {
            Some((at, _)) if (time - at).abs() > SPAN => {}
            Some((_, other)) if *other == hash => return Seen::Same,
            Some(_) => return Seen::Different,
            None => {}
        }
        let key: Rc<str> = Rc::from(self.key.as_str());
        self.seen.insert(Rc::clone(&key), (time, hash));
        self.order.push_back((time, key));
        Seen::Never
    }

    fn evict(&mut self, now: i64) {
        while self.order.front().is_some_and(|(time, _)| *time < now - SPAN) {
            let Some((time, key)) = self.order.pop_front() else { break };
            if self.seen.get(&key).is_some_and(|(at, _)| *at == time) {
                self.seen.remove(&key);
            }
        }
    }
}
