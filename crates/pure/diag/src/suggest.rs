//! Near names: what the user probably meant.

/// The candidate nearest to `name`, if one is near enough to be worth naming.
///
/// Near enough is a Damerau-Levenshtein distance of at most 2, or a third of the longer name.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .filter(|candidate| *candidate != name)
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(distance, candidate)| {
            let longest = name.chars().count().max(candidate.chars().count());
            *distance < longest && *distance <= 2.max(longest / 3)
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_typo_finds_its_field_and_a_stranger_finds_none() {
        assert_eq!(
            nearest("replcas", ["replicas", "selector"]),
            Some("replicas")
        );
        assert_eq!(
            nearest("spec.vpcs", ["spec.vpc", "status"]),
            Some("spec.vpc")
        );
        assert_eq!(nearest("zebra", ["replicas", "selector"]), None);
        assert_eq!(nearest("a", ["b"]), None);
    }
}
