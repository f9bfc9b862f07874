//! A cache of the last flow: packets come in bursts, so the result for the last one is nearly
//! always the result for the next one.

/// The last key and its value. An entry is valid for one generation of the state that it was
/// computed from; a change of that state increments the generation or clears the cache.
#[derive(Clone, Debug)]
pub(crate) struct FlowCache<K, V> {
    entry: Option<(u32, K, V)>,
}

impl<K, V> Default for FlowCache<K, V> {
    fn default() -> Self {
        Self { entry: None }
    }
}

impl<K: PartialEq, V> FlowCache<K, V> {
    /// The value for this key, if it was the last one.
    pub(crate) fn get(&self, generation: u32, key: &K) -> Option<&V> {
        match &self.entry {
            Some((since, known, value)) if *since == generation && known == key => Some(value),
            _ => None,
        }
    }

    /// Replaces the entry.
    pub(crate) fn set(&mut self, generation: u32, key: K, value: V) {
        self.entry = Some((generation, key, value));
    }

    /// As [`set`](Self::set), for values that must not be dropped under a lock: returns the former
    /// one.
    #[must_use]
    pub(crate) fn replace(&mut self, generation: u32, key: K, value: V) -> Option<V> {
        self.entry.replace((generation, key, value)).map(|(_, _, former)| former)
    }
}

impl<K, V> FlowCache<K, V> {
    /// The last key and value, for callers that compare keys in place.
    pub(crate) fn last(&self, generation: u32) -> Option<(&K, &V)> {
        match &self.entry {
            Some((since, known, value)) if *since == generation => Some((known, value)),
            _ => None,
        }
    }

    /// Clears the cache.
    pub(crate) fn clear(&mut self) {
        self.entry = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_holds_for_its_key_and_its_generation() {
        let mut cache = FlowCache::default();
        assert_eq!(cache.get(0, &7), None);
        cache.set(0, 7, 'a');
        assert_eq!(
            (cache.get(0, &7), cache.get(1, &7), cache.get(0, &8)),
            (Some(&'a'), None, None)
        );
        assert_eq!(cache.last(0), Some((&7, &'a')));
        cache.set(1, 8, 'b');
        assert_eq!((cache.get(1, &7), cache.get(1, &8)), (None, Some(&'b')));
        cache.clear();
        assert_eq!(cache.last(1), None);
    }
}
