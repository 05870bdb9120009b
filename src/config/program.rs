//! What only the program around a configuration knows: which variables its flags have, and what its Kafka client takes.
//!
//! It comes by value, because the configuration is above the command line and knows no client.

use std::collections::BTreeMap;
use std::fmt;

use super::PropertyValue;

/// librdkafka properties by name.
pub type Properties = BTreeMap<String, PropertyValue>;

/// A property that the client does not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PropertyFault {
    /// Its name; none where it is all of them together.
    pub name: Option<String>,
    /// What is wrong; never with the value of a secret.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

/// Says which properties the client does not take.
pub type CheckProperties<'a> = &'a dyn Fn(&Properties) -> Vec<PropertyFault>;

/// What the program knows.
#[derive(Clone, Copy)]
pub struct Program<'a> {
    /// Environment variables that stand in for flags; they set no key, and are known all the same.
    pub flags: &'a [String],
    /// Looks at each property by itself.
    pub check_each: CheckProperties<'a>,
    /// Looks at all of them together, where nothing is wrong with any.
    pub check_together: CheckProperties<'a>,
}

impl Default for Program<'_> {
    /// One that has no flags and takes every property.
    fn default() -> Self {
        Program { flags: &[], check_each: &|_| Vec::new(), check_together: &|_| Vec::new() }
    }
}

impl fmt::Debug for Program<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program").field("flags", &self.flags).finish_non_exhaustive()
    }
}
