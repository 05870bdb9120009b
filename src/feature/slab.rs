//! A vector with reusable places.

/// Values addressed by an index that stays theirs until they are removed.
#[derive(Debug)]
pub struct Slab<T> {
    values: Vec<Option<T>>,
    free: Vec<usize>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Slab { values: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    /// Stores a value; returns its index.
    pub fn insert(&mut self, value: T) -> usize {
        if let Some(index) = self.free.pop() {
            self.values[index] = Some(value);
            return index;
        }
        self.values.push(Some(value));
        self.values.len() - 1
    }

    /// The value at an index that `insert` returned and that was not removed since.
    #[expect(clippy::expect_used, reason = "callers hold indices only of what they inserted and have not removed")]
    pub fn get_mut(&mut self, index: usize) -> &mut T {
        self.values[index].as_mut().expect("a live index")
    }

    /// The value at an index that `insert` returned and that was not removed since.
    #[expect(clippy::expect_used, reason = "callers hold indices only of what they inserted and have not removed")]
    pub fn get(&self, index: usize) -> &T {
        self.values[index].as_ref().expect("a live index")
    }

    /// The value at an index, if there is one.
    pub fn find_mut(&mut self, index: usize) -> Option<&mut T> {
        self.values.get_mut(index).and_then(Option::as_mut)
    }

    /// Removes a value.
    pub fn remove(&mut self, index: usize) -> Option<T> {
        let value = self.values.get_mut(index).and_then(Option::take);
        if value.is_some() {
            self.free.push(index);
        }
        value
    }

    /// Bytes held, used or not, without what values have elsewhere.
    pub fn bytes(&self) -> usize {
        self.values.capacity() * size_of::<Option<T>>() + self.free.capacity() * size_of::<usize>()
    }

    /// The values in order of index.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.values.iter().flatten()
    }
}
