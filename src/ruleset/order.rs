//! Definitions in the order of their dependencies, and the cycles among them.

use std::collections::{BTreeMap, BTreeSet};

/// Names in an order in which each comes after what it rests on, and the cycles found.
#[derive(Debug, PartialEq, Eq)]
pub struct Order {
    /// Every name that rests on no cycle's member but by way of it; members of cycles are left out.
    pub sorted: Vec<String>,
    /// Each cycle once, from its smallest member in byte order on.
    pub cycles: Vec<Vec<String>>,
}

/// Orders names by what each needs; needs that are no names are passed over.
pub fn order(needs: &BTreeMap<String, BTreeSet<String>>) -> Order {
    let mut waiting: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut wanted_by: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, needed) in needs {
        let inner = needed.iter().filter(|other| needs.contains_key(*other)).map(String::as_str);
        waiting.insert(name, inner.clone().collect());
        inner.for_each(|other| wanted_by.entry(other).or_default().push(name));
    }
    let mut order = Order { sorted: Vec::new(), cycles: Vec::new() };
    let free = |waiting: &BTreeMap<&str, BTreeSet<&str>>, name: &str| waiting.get(name).is_some_and(BTreeSet::is_empty);
    let mut ready: BTreeSet<&str> = waiting.keys().copied().filter(|name| free(&waiting, name)).collect();
    loop {
        let done: Vec<String> = match ready.pop_first() {
            Some(name) => {
                order.sorted.push(name.to_string());
                vec![name.to_string()]
            }
            None if waiting.is_empty() => return order,
            None => {
                order.cycles.push(find_cycle(&waiting));
                order.cycles.last().cloned().unwrap_or_default()
            }
        };
        for name in &done {
            waiting.remove(name.as_str());
            for other in wanted_by.get(name.as_str()).into_iter().flatten() {
                if let Some(needed) = waiting.get_mut(other) {
                    needed.remove(name.as_str());
                    if needed.is_empty() && !done.iter().any(|member| member == other) {
                        ready.insert(other);
                    }
                }
            }
        }
    }
}

/// A cycle: every waiting name needs another waiting one, so following needs comes back.
fn find_cycle(waiting: &BTreeMap<&str, BTreeSet<&str>>) -> Vec<String> {
    let mut path: Vec<&str> = Vec::new();
    let mut next = waiting.keys().next().copied();
    while let Some(name) = next {
        if let Some(start) = path.iter().position(|known| *known == name) {
            path.drain(..start);
            break;
        }
        path.push(name);
        next = waiting.get(name).and_then(|needed| needed.first().copied());
    }
    let smallest = path.iter().enumerate().min_by_key(|(_, name)| **name).map_or(0, |(at, _)| at);
    path.rotate_left(smallest);
    path.into_iter().map(str::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(edges: &[(&str, &[&str])], sorted: &[&str], cycles: &[&[&str]]) {
        let set = |list: &[&str]| list.iter().map(|name| name.to_string()).collect();
        let needs = edges.iter().map(|(name, needed)| (name.to_string(), set(needed))).collect();
        let found = order(&needs);
        assert_eq!(found.sorted, sorted, "{edges:?}");
        assert_eq!(found.cycles, cycles, "{edges:?}");
    }

    #[test]
    fn needs_come_first() {
        check(&[], &[], &[]);
        check(&[("a", &["b", "x"]), ("b", &["c"]), ("c", &[])], &["c", "b", "a"], &[]);
        check(&[("a", &["c"]), ("b", &["c"]), ("c", &[])], &["c", "a", "b"], &[]);
    }

    #[test]
    fn cycles_are_found_once_each() {
        check(&[("a", &["a"])], &[], &[&["a"]]);
        check(&[("a", &["b"]), ("b", &["a"]), ("c", &["a"]), ("d", &[])], &["d", "c"], &[&["a", "b"]]);
        check(
            &[("z", &["b"]), ("b", &["c"]), ("c", &["b"]), ("e", &["f"]), ("f", &["e"])],
            &["z"],
            &[&["b", "c"], &["e", "f"]],
        );
    }
}
