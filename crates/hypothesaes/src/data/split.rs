//! Which text belongs to which part: discover, validation, held-out.

use std::fmt;
use std::str::FromStr;

use hypothesaes_math::random::{self, Stream};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::Split;
use super::names::count;
use crate::{Error, Result};

/// Shares of the three parts; any positive numbers, only their ratios count. Where nothing is to be
/// discovered, `0/0/1` keeps all rows for the test.
///
/// Written as in `70/15/15`. The share of a part that has a file of its own is not used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SplitOptions {
    pub discover: f64,
    pub validation: f64,
    pub heldout: f64,
}

impl Default for SplitOptions {
    fn default() -> Self {
        Self { discover: 0.70, validation: 0.15, heldout: 0.15 }
    }
}

impl SplitOptions {
    /// # Errors
    /// [`Error::Option`] for a share that is not a positive number.
    pub fn check(&self) -> Result<()> {
        let bad = self.shares().into_iter().any(|share| !(share > 0.0 && share.is_finite()));
        if bad && !self.is_all_heldout() {
            Err(Error::option("split", format!("{:?}", self.shares()), SHARES))
        } else {
            Ok(())
        }
    }

    /// All rows held out, none to discover on.
    pub const ALL_HELDOUT: Self = Self { discover: 0.0, validation: 0.0, heldout: 1.0 };

    /// Whether all rows are kept for the test.
    #[must_use]
    pub fn is_all_heldout(&self) -> bool {
        self.discover == 0.0 && self.validation == 0.0 && self.heldout > 0.0
    }

    fn shares(&self) -> [f64; 3] {
        [self.discover, self.validation, self.heldout]
    }
}

/// Fewer rows than this tell nothing in any part.
const MIN_ROWS: usize = 10;
const SHARES: &str = "name three positive shares, as in `70/15/15`";

impl FromStr for SplitOptions {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let shares: Result<Vec<f64>, _> = text.split('/').map(|part| part.trim().parse()).collect();
        let Ok(&[discover, validation, heldout]) = shares.as_deref() else {
            return Err(Error::option("split", text, SHARES));
        };
        let options = Self { discover, validation, heldout };
        options.check().map(|()| options)
    }
}

/// In percent.
impl fmt::Display for SplitOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total: f64 = self.shares().iter().sum();
        let percent = |share: f64| (1000.0 * share / total).round() / 10.0;
        let [discover, validation, heldout] = self.shares().map(percent);
        write!(f, "{discover}/{validation}/{heldout}")
    }
}

/// What a split has to respect.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ties<'a> {
    /// The part of the rows that came in a file of their own; `None` for those to be split.
    pub given: &'a [Option<Split>],
    /// Rows of one group stay together.
    pub group: Option<&'a [u32]>,
    /// Pairs of rows that stay together.
    pub pairs: &'a [(u32, u32)],
    /// Class of every row, if the parts shall have equal shares of each.
    pub class: Option<&'a [u32]>,
    /// What the classes are called in messages, such as "the positive class".
    pub class_names: &'a [String],
}

/// Every row's part.
///
/// Rows that stay together form one component. Components are taken in random order, the largest
/// first, and each goes to the part where the sum over classes of squared distances between actual
/// and wanted sizes falls most; without ties every part is within one row per class of its share.
/// The random stream is `split`, so that the same rows and seed give the same parts.
///
/// # Errors
/// [`Error::Data`] if a part would have too few rows, or one class only.
pub(super) fn split(ties: &Ties, options: &SplitOptions, seed: u64) -> Result<Vec<Split>> {
    let free: Vec<u32> =
        (0..).zip(ties.given).filter(|(_, g)| g.is_none()).map(|(i, _)| i).collect();
    let parts: Vec<Split> =
        Split::ALL.into_iter().filter(|part| is_made(*part, ties, options)).collect();
    let shares: Vec<f64> = parts.iter().map(|&part| options.shares()[part as usize]).collect();
    let component = components(ties, &free);
    let n_components = component.iter().max().map_or(0, |&last| last as usize + 1);
    let class = |i: u32| ties.class.map_or(0, |class| class[i as usize] as usize);
    let mut sizes = vec![vec![0.0; ties.n_classes()]; n_components];
    for (&i, &c) in free.iter().zip(&component) {
        sizes[c as usize][class(i)] += 1.0;
    }
    let assigned = assign(&sizes, &shares, &mut random::stream(seed, "split"));
    let mut split: Vec<Split> = ties.given.iter().map(|g| g.unwrap_or(Split::Discover)).collect();
    for (&i, &c) in free.iter().zip(&component) {
        split[i as usize] = parts[assigned[c as usize]];
    }
    check_parts(&split, ties, options, n_components)?;
    Ok(split)
}

/// Whether rows without a part go to this one: it has no file of its own, and a share.
fn is_made(part: Split, ties: &Ties, options: &SplitOptions) -> bool {
    !ties.given.contains(&Some(part)) && options.shares()[part as usize] > 0.0
}

/// Component of every free row, numbered in the order of their first rows.
fn components(ties: &Ties, free: &[u32]) -> Vec<u32> {
    let mut parent: Vec<u32> = (0..).take(ties.given.len()).collect();
    let mut first_of_group: FxHashMap<u32, u32> = FxHashMap::default();
    if let Some(group) = ties.group {
        for &i in free {
            let first = *first_of_group.entry(group[i as usize]).or_insert(i);
            join(&mut parent, i, first);
        }
    }
    let is_free = |i: u32| ties.given[i as usize].is_none();
    for &(i, j) in ties.pairs.iter().filter(|(i, j)| is_free(*i) && is_free(*j)) {
        join(&mut parent, i, j);
    }
    let mut n = 0;
    let mut number: FxHashMap<u32, u32> = FxHashMap::default();
    let of_row = |&row: &u32| {
        let number = *number.entry(root(&mut parent, row)).or_insert(n);
        n = n.max(number + 1);
        number
    };
    free.iter().map(of_row).collect()
}

/// The row that stands for the component of `i`; paths are halved on the way.
fn root(parent: &mut [u32], mut i: u32) -> u32 {
    while parent[i as usize] != i {
        parent[i as usize] = parent[parent[i as usize] as usize];
        i = parent[i as usize];
    }
    i
}

/// Puts two rows into one component, which the earlier root stands for.
fn join(parent: &mut [u32], i: u32, j: u32) {
    let (i, j) = (root(parent, i), root(parent, j));
    parent[i.max(j) as usize] = i.min(j);
}

/// How many rows the largest piece has that stays whole.
pub(super) fn largest_component(ties: &Ties) -> usize {
    let free: Vec<u32> =
        (0..).zip(ties.given).filter(|(_, g)| g.is_none()).map(|(i, _)| i).collect();
    let mut sizes = vec![0; free.len()];
    for component in components(ties, &free) {
        sizes[component as usize] += 1;
    }
    sizes.into_iter().max().unwrap_or(0)
}

impl Ties<'_> {
    fn n_classes(&self) -> usize {
        self.class_names.len().max(1)
    }
}

/// Part of every component, given its rows of every class.
fn assign(sizes: &[Vec<f64>], shares: &[f64], stream: &mut Stream) -> Vec<usize> {
    let total: f64 = shares.iter().sum();
    let mut all = vec![0.0; sizes.first().map_or(0, Vec::len)];
    for size in sizes {
        all.iter_mut().zip(size).for_each(|(all, rows)| *all += rows);
    }
    let wanted = |share: &f64| all.iter().map(|rows| rows * share / total).collect();
    let mut room: Vec<Vec<f64>> = shares.iter().map(wanted).collect();
    let mut order = random::permutation(sizes.len(), stream);
    let rows = |component: usize| sizes[component].iter().sum::<f64>();
    order.sort_by(|&a, &b| rows(b).total_cmp(&rows(a)));
    let mut assigned = vec![0; sizes.len()];
    for component in order {
        let size = &sizes[component];
        // The squared distance falls by 2 size . room - |size|^2, whose last term is common.
        let gain = |room: &[f64]| size.iter().zip(room).map(|(s, r)| s * r).sum::<f64>();
        let mut best = 0;
        for part in 1..room.len() {
            if gain(&room[part]) > gain(&room[best]) {
                best = part;
            }
        }
        assigned[component] = best;
        room[best].iter_mut().zip(size).for_each(|(room, rows)| *room -= rows);
    }
    assigned
}

fn check_parts(
    split: &[Split],
    ties: &Ties,
    options: &SplitOptions,
    n_components: usize,
) -> Result<()> {
    let sizes = Split::ALL.map(|part| split.iter().filter(|&&s| s == part).count());
    let is_wanted = |part: Split| !options.is_all_heldout() || part == Split::Heldout;
    if Split::ALL.into_iter().any(|part| is_wanted(part) && sizes[part as usize] < MIN_ROWS) {
        let [discover, validation, heldout] = sizes.map(count);
        let (rows, pieces) = (count(split.len()), count(n_components));
        return Err(Error::Data(format!(
            "too few rows: {rows} rows in {pieces} pieces that stay whole make {discover} to \
             discover on, {validation} for validation and {heldout} held out ({options}); each \
             part needs {MIN_ROWS}"
        )));
    }
    let Some(class) = ties.class else { return Ok(()) };
    let parts = [(Split::Discover, "discover"), (Split::Heldout, "held-out")];
    for (part, name) in parts.into_iter().filter(|(part, _)| is_wanted(*part)) {
        let mut has = vec![false; ties.n_classes()];
        let of_part = class.iter().zip(split).filter(|(_, s)| **s == part);
        of_part.for_each(|(class, _)| has[*class as usize] = true);
        if let Some(lacking) = has.iter().position(|has| !has) {
            let which = &ties.class_names[lacking];
            return Err(Error::Data(format!(
                "the {name} part has no row of {which}; take more rows, larger shares or smaller \
                 groups, or leave the class out by `--drop-target`"
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn names() -> [String; 2] {
        ["the negative class", "the positive class"].map(str::to_owned)
    }

    #[test]
    fn shares_are_written_as_ratios() {
        let parse = |text: &str| text.parse::<SplitOptions>();
        let options = parse("45/5/50").unwrap();
        assert_eq!(options.shares(), [45.0, 5.0, 50.0]);
        assert_eq!(options.to_string(), "45/5/50");
        assert_eq!(parse("14/3/3").unwrap().to_string(), "70/15/15");
        assert_eq!(SplitOptions::default().to_string(), "70/15/15");
        for bad in ["", "70/30", "70/15/15/x", "70/15/-15", "0/50/50", "NaN/1/1", "inf/1/1"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn without_ties_every_class_is_split_to_the_row() {
        let y: Vec<u32> = (0..2000).map(|i| u32::from(i % 10 == 0)).collect();
        let given = vec![None; y.len()];
        let ties =
            Ties { given: &given, group: None, pairs: &[], class: Some(&y), class_names: &names() };
        let split = split(&ties, &"45/5/50".parse().unwrap(), 3).unwrap();
        for (part, rows) in
            [(Split::Discover, 900), (Split::Validation, 100), (Split::Heldout, 1000)]
        {
            let of_part = || (0..y.len()).filter(|&i| split[i] == part);
            assert_eq!(of_part().count(), rows);
            assert_eq!(of_part().filter(|&i| y[i] == 1).count(), rows / 10);
        }
    }

    #[test]
    fn given_parts_stay_and_the_rest_is_shared_out() {
        let given: Vec<Option<Split>> =
            (0..100).map(|i| (i >= 60).then_some(Split::Heldout)).collect();
        let ties =
            Ties { given: &given, group: None, pairs: &[(70, 3)], class: None, class_names: &[] };
        let split = split(&ties, &"60/30/10".parse().unwrap(), 0).unwrap();
        let sizes = Split::ALL.map(|part| split.iter().filter(|&&s| s == part).count());
        assert_eq!(sizes, [40, 20, 40]);
        assert!(split[60..].iter().all(|&s| s == Split::Heldout));
    }

    #[test]
    fn too_few_rows_or_classes_are_refused_with_numbers() {
        let check = |rows: usize, group: Option<&[u32]>, class: Option<&[u32]>, parts: &[&str]| {
            let ties =
                Ties { given: &vec![None; rows], group, pairs: &[], class, class_names: &names() };
            let message = split(&ties, &SplitOptions::default(), 0).unwrap_err().to_string();
            assert!(parts.iter().all(|part| message.contains(part)), "{message}");
        };
        check(20, None, None, &["20 rows", "14 to discover on, 3 for validation and 3 held out"]);
        let two: Vec<u32> = (0..200).map(|i| i % 2).collect();
        check(200, Some(&two), None, &["2 pieces"]);
        let one: Vec<u32> = (0..200).map(|i| u32::from(i == 0)).collect();
        check(200, None, Some(&one), &["held-out part has no row of the positive class"]);
    }

    /// Rows as (group, target, earlier row with the same text).
    fn rows() -> impl Strategy<Value = Vec<(u32, bool, Option<prop::sample::Index>)>> {
        let same = prop::option::weighted(0.1, any::<prop::sample::Index>());
        prop::collection::vec((0..150_u32, prop::bool::weighted(0.3), same), 300..500)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn groups_and_duplicates_stay_whole_and_shares_near(
            rows in rows(),
            shares in (1.0..3.0, 1.0..3.0, 1.0..3.0),
            seed in any::<u64>(),
        ) {
            let group: Vec<u32> = rows.iter().map(|r| r.0).collect();
            let y: Vec<u32> = rows.iter().map(|r| u32::from(r.1)).collect();
            let earlier = |i: usize| Some((i, rows[i].2?.index(i.max(1))));
            let pairs: Vec<(u32, u32)> = (1..rows.len())
                .filter_map(earlier)
                .take(10)
                .map(|(i, j)| (u32::try_from(i).unwrap(), u32::try_from(j).unwrap()))
                .collect();
            let given = vec![None; rows.len()];
            let ties =
                Ties { given: &given, group: Some(&group), pairs: &pairs, class: Some(&y), class_names: &names() };
            let options =
                SplitOptions { discover: shares.0, validation: shares.1, heldout: shares.2 };
            let parts = split(&ties, &options, seed).unwrap();
            prop_assert_eq!(&parts, &split(&ties, &options, seed).unwrap());

            let mut seen = BTreeSet::new();
            for (&group, &part) in group.iter().zip(&parts) {
                seen.insert((group, part));
            }
            let groups: BTreeSet<u32> = group.iter().copied().collect();
            prop_assert_eq!(seen.len(), groups.len());
            for &(i, j) in &pairs {
                prop_assert_eq!(parts[i as usize], parts[j as usize]);
            }
            let total: f64 = options.shares().iter().sum();
            for (part, share) in Split::ALL.into_iter().zip(options.shares()) {
                for class in [0, 1] {
                    let of_class = || (0..y.len()).filter(|&i| y[i] == class);
                    let got = of_class().filter(|&i| parts[i] == part).count() as f64;
                    let want = of_class().count() as f64 * share / total;
                    // Ten joined groups of about three rows can be that far off.
                    prop_assert!((got - want).abs() <= 15.0, "{got} for {want}");
                }
            }
        }

        #[test]
        fn another_seed_gives_another_split(seed in any::<u64>()) {
            let given = vec![None; 200];
            let ties = Ties { given: &given, group: None, pairs: &[], class: None, class_names: &[] };
            let of = |seed| split(&ties, &SplitOptions::default(), seed).unwrap();
            prop_assert_ne!(of(seed), of(seed.wrapping_add(1)));
        }
    }
}
