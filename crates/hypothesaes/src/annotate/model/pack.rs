//! Which pairs of text and concept go into one call.

use std::collections::BTreeMap;

use super::super::Layout;

/// Pairs of every text with every concept of it, asked in one call. Indices are those of the
/// asker's lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unit {
    pub texts: Vec<usize>,
    pub concepts: Vec<usize>,
    /// How often it was asked as it is.
    pub tries: u8,
}

/// How large a unit may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    pub texts: usize,
    pub concepts: usize,
    pub pairs: usize,
}

impl Shape {
    pub fn of(layout: Layout, stack: usize) -> Self {
        match layout {
            Layout::Stacked => Self { texts: 10, concepts: stack, pairs: stack },
            Layout::Economy => Self { texts: 10, concepts: 20, pairs: 200 },
            Layout::Single => Self { texts: 1, concepts: 1, pairs: 1 },
        }
    }

    /// For what is left of a unit of `pairs` pairs: half of it at most.
    fn half_of(self, pairs: usize) -> Self {
        let half = (pairs / 2).max(1);
        let Self { texts, concepts, pairs } = self;
        Self { texts: texts.min(half), concepts: concepts.min(half), pairs: pairs.min(half) }
    }

    /// Calls for `n_texts` texts with the same `n_concepts` concepts.
    pub fn calls(self, n_texts: usize, n_concepts: usize) -> usize {
        let chunks = n_concepts.div_ceil(self.concepts);
        if chunks == 0 {
            return 0;
        }
        let chunk = n_concepts.div_ceil(chunks);
        chunks * n_texts.div_ceil((self.pairs / chunk).clamp(1, self.texts))
    }
}

impl Unit {
    pub fn pairs(&self) -> impl Iterator<Item = (usize, usize)> {
        self.texts.iter().flat_map(|&t| self.concepts.iter().map(move |&c| (t, c)))
    }

    pub fn n_pairs(&self) -> usize {
        self.texts.len() * self.concepts.len()
    }

    /// What is left of it, at half its size.
    pub fn halved(&self, left: &[(usize, usize)], shape: Shape) -> Vec<Self> {
        let mut open = BTreeMap::<usize, Vec<usize>>::new();
        for &(text, concept) in left {
            open.entry(text).or_default().push(concept);
        }
        pack(open, shape.half_of(self.n_pairs()))
    }
}

/// Units for the concepts that are open of each text. The concepts of a text are divided evenly
/// into as few parts as can be; texts with the same part go together.
pub(super) fn pack(open: impl IntoIterator<Item = (usize, Vec<usize>)>, shape: Shape) -> Vec<Unit> {
    let mut together = BTreeMap::<Vec<usize>, Vec<usize>>::new();
    for (text, concepts) in open {
        let parts = concepts.len().div_ceil(shape.concepts).max(1);
        for part in concepts.chunks(concepts.len().div_ceil(parts).max(1)) {
            together.entry(part.to_vec()).or_default().push(text);
        }
    }
    let mut units = Vec::new();
    for (concepts, texts) in together {
        let most = (shape.pairs / concepts.len()).clamp(1, shape.texts);
        units.extend(texts.chunks(most).map(|texts| Unit {
            texts: texts.to_vec(),
            concepts: concepts.clone(),
            tries: 0,
        }));
    }
    // A text's answers arrive together, whatever becomes of the rest.
    units.sort_by(|a, b| a.texts.cmp(&b.texts));
    units
}

/// Units for what is `open` of what is `wanted`. One that is open as a whole is as it would be if
/// nothing were known, so that the same question is asked whatever has been answered meanwhile: a
/// batch job may hold it.
pub(super) fn pack_open(
    wanted: &[Vec<usize>],
    open: Vec<(usize, Vec<usize>)>,
    shape: Shape,
) -> Vec<Unit> {
    let mut open: BTreeMap<usize, Vec<usize>> = open.into_iter().collect();
    let mut units = pack(wanted.iter().cloned().enumerate(), shape);
    let is_open = |open: &BTreeMap<usize, Vec<usize>>, t, c| {
        open.get(&t).is_some_and(|concepts| concepts.contains(&c))
    };
    units.retain(|unit| unit.pairs().all(|(t, c)| is_open(&open, t, c)));
    for (text, concept) in units.iter().flat_map(Unit::pairs) {
        open.entry(text).or_default().retain(|&c| c != concept);
    }
    open.retain(|_, concepts| !concepts.is_empty());
    units.extend(pack(open, shape));
    units.sort_by(|a, b| a.texts.cmp(&b.texts));
    units
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(n_texts: usize, n_concepts: usize) -> Vec<(usize, Vec<usize>)> {
        (0..n_texts).map(|t| (t, (0..n_concepts).collect())).collect()
    }

    #[test]
    fn trap_25_many_concepts_go_into_one_call() {
        for (layout, calls) in
            [(Layout::Stacked, 600), (Layout::Economy, 30), (Layout::Single, 6000)]
        {
            let shape = Shape::of(layout, 10);
            let units = pack(all(300, 20), shape);
            assert_eq!((units.len(), shape.calls(300, 20)), (calls, calls), "{layout:?}");
            assert_eq!(units.iter().map(Unit::n_pairs).sum::<usize>(), 6000);
        }
    }

    #[test]
    fn concepts_are_divided_evenly() {
        let units = pack(all(1, 12), Shape::of(Layout::Stacked, 10));
        assert_eq!(units.iter().map(|u| u.concepts.len()).collect::<Vec<_>>(), [6, 6]);
    }

    #[test]
    fn texts_with_one_open_concept_share_a_call() {
        let open = (0..25).map(|t| (t, vec![t % 2]));
        let units = pack(open, Shape::of(Layout::Stacked, 10));
        assert_eq!(units.len(), 4);
        assert!(units.iter().all(|u| u.n_pairs() <= 10 && u.concepts.len() == 1));
    }

    #[test]
    fn what_is_open_as_a_whole_is_asked_as_if_nothing_were_known() {
        let wanted: Vec<Vec<usize>> = all(30, 20).into_iter().map(|(_, c)| c).collect();
        let shape = Shape::of(Layout::Economy, 10);
        let at_first = pack(all(30, 20), shape);
        // The first unit was answered but for one concept of one text.
        let mut open = all(30, 20);
        open.retain(|(t, _)| !at_first[0].texts.contains(t) || *t == at_first[0].texts[3]);
        open[0].1 = vec![4];
        let units = pack_open(&wanted, open.clone(), shape);
        assert_eq!(units.len(), at_first.len());
        assert!(at_first[1..].iter().all(|unit| units.contains(unit)));
        let pairs: usize = units.iter().map(Unit::n_pairs).sum();
        assert_eq!(pairs, open.iter().map(|(_, c)| c.len()).sum::<usize>());
        let rest = units.iter().find(|unit| unit.n_pairs() == 1).unwrap();
        assert_eq!((&rest.texts[..], &rest.concepts[..]), (&at_first[0].texts[3..4], &[4][..]));
    }

    #[test]
    fn what_is_left_is_asked_at_half_the_size_until_single() {
        let shape = Shape::of(Layout::Economy, 10);
        let mut unit = pack(all(8, 4), shape).remove(0);
        let mut sizes = Vec::new();
        while unit.n_pairs() > 1 {
            let left: Vec<_> = unit.pairs().collect();
            unit = unit.halved(&left, shape).remove(0);
            sizes.push(unit.n_pairs());
        }
        assert_eq!(sizes, [16, 8, 4, 2, 1]);
    }
}
