//! One memory of the flow that was found last, for everybody who has one: packets come in trains,
//! so the answer for the last one is nearly always the answer for this one.

/// The last key, and what was found for it. An entry holds for one generation of whatever it was
/// worked out from; who changes that advances the generation or clears the cache.
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
    /// What was found for this key, if it was the last one.
    pub(crate) fn get(&self, generation: u32, key: &K) -> Option<&V> {
        match &self.entry {
            Some((since, known, value)) if *since == generation && known == key => Some(value),
            _ => None,
        }
    }

    /// Remembers what was found, instead of what was found before.
    pub(crate) fn set(&mut self, generation: u32, key: K, value: V) {
        self.entry = Some((generation, key, value));
    }
}

impl<K, V> FlowCache<K, V> {
    /// The last key and what was found for it, for those who compare keys where they lie.
    pub(crate) fn last(&self, generation: u32) -> Option<(&K, &V)> {
        match &self.entry {
            Some((since, known, value)) if *since == generation => Some((known, value)),
            _ => None,
        }
    }

    /// Forgets.
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
