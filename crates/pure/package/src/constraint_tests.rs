//! Constraints, held against what Masterminds/semver says of the same texts.

use super::Constraint;
use crate::Version;

/// `+1.2.3` is allowed, `-1.2.4` is not.
fn check(constraint: &str, versions: &str) {
    let parsed =
        Constraint::parse(constraint).unwrap_or_else(|error| panic!("{constraint}: {error}"));
    for wanted in versions.split_whitespace() {
        let (allowed, version) = wanted.split_at(1);
        let version = Version::parse(version).unwrap();
        assert_eq!(
            parsed.allows(&version),
            allowed == "+",
            "{constraint} and {version}"
        );
    }
}

#[test]
fn a_bare_version_is_exactly_that_one() {
    check("1.2.3", "+1.2.3 -1.2.4 -1.3.0 -1.2.3-rc.1");
    check("=v1.2.3", "+1.2.3 +v1.2.3 +1.2.3+build -1.2.2");
    check("1.2.3-rc.1", "+1.2.3-rc.1 -1.2.3 -1.2.3-rc.2");
}

#[test]
fn missing_and_wild_numbers_open_a_range() {
    for constraint in [
        "1.2", "1.2.x", "1.2.*", "v1.2.X", "~1.2", "~1.2.x", "~> 1.2",
    ] {
        check(constraint, "+1.2.0 +1.2.9 -1.3.0 -1.1.9 -2.2.0 -1.2.9-rc.1");
    }
    for constraint in ["1", "1.x", "1.x.x", "1.x.3", "~1", "~1.x", "^1", "^1.x"] {
        check(constraint, "+1.0.0 +1.9.9 -2.0.0 -0.9.0");
    }
    for constraint in ["*", "x", "X.1.2", "~*", ">=*", "~0.0.0"] {
        check(constraint, "+0.0.0 +1.2.3 +99.0.0 -1.0.0-rc.1");
    }
}

#[test]
fn comparisons_compare() {
    check(">1.2.3", "-1.2.3 +1.2.4 +2.0.0");
    check(">1.2", "-1.2.9 +1.3.0");
    check(">11", "-11.1.0 +12.0.0 -10.0.0");
    check(">=1.2", "+1.2.0 -1.1.9");
    check("=>1.2.3", "+1.2.3 -1.2.2");
    check("<1.2.3", "+1.2.2 -1.2.3");
    check("<2", "+1.9.9 -2.0.0");
    check("<=1.2.3", "+1.2.3 -1.2.4");
    check("<=1.2", "+1.2.9 -1.3.0 +0.1.0");
    check("=<11", "+11.9.9 -12.0.0");
    check("!=1.2.3", "-1.2.3 +1.2.4");
    check("!=1.2", "-1.2.0 -1.2.9 +1.3.0 +2.2.0");
    check("!=1", "-1.2.0 +2.0.0");
}

#[test]
fn tilde_and_caret_stay_below_the_next_breaking_version() {
    check("~1.2.3", "+1.2.3 +1.2.9 -1.3.0 -1.2.2");
    check("^1.2.3", "+1.2.3 +1.9.9 -2.0.0 -1.2.2");
    check("^0.2.3", "+0.2.3 +0.2.9 -0.3.0 -1.0.0");
    check("^0.0.3", "+0.0.3 -0.0.4 -0.1.0");
    check("^0.0", "+0.0.0 +0.0.9 -0.1.0");
    check("^0", "+0.0.0 +0.9.9 -1.0.0");
}

#[test]
fn groups_are_and_alternatives_are_or() {
    check(">=1.0.0, <2.0.0", "+1.5.0 -2.0.0");
    check(">=1.0.0 <2.0.0", "+1.5.0 -2.0.0");
    check(">= 1.0.0 ,<2.0.0", "+1.5.0 -0.9.9");
    check("^1.0.0 || ^3.0.0", "+1.5.0 -2.0.0 +3.1.0");
    check("1.2 - 1.4.5", "+1.2.0 +1.4.5 -1.4.6 -1.1.0");
    check("1.0.0 - 2.0.0 || 5.x", "+1.5.0 -3.0.0 +5.5.5");
}

#[test]
fn versions_before_a_release_count_when_the_group_names_one() {
    check(">=1.0.0-0", "+1.0.0-rc.1 +1.0.0 +1.1.0-alpha");
    check(">=1.0.0-0 <2.0.0", "+1.5.0-beta -2.0.0");
    check(">=1.0.0", "-1.1.0-rc.1 +1.1.0");
    check(
        "^1.2.3-beta.1",
        "+1.2.3-beta.2 -1.2.3-alpha +1.2.3 -2.0.0-rc.1",
    );
    check("<1.0.0-rc.2 || >=2.0.0", "+1.0.0-rc.1 -2.0.1-rc.1 +2.0.1");
    check(
        ">=1.0.0-alpha.9",
        "+1.0.0-alpha.10 -1.0.0-alpha.8 +1.0.0-alpha.beta",
    );
}

#[test]
fn oddities_are_kept() {
    check("^*", "+0.0.0 -0.1.0 -1.0.0");
    check("<=*", "+0.0.0 +0.0.9 -1.0.0");
    check("!=*", "-0.0.0 +1.0.0 +0.1.0");
}

#[test]
fn what_is_no_constraint_is_said_with_its_place() {
    let refused = |text: &str, message: &str, span: (usize, usize)| {
        let error = Constraint::parse(text).unwrap_err();
        assert_eq!(
            (error.message.as_str(), error.span),
            (message, span),
            "{text:?}"
        );
    };
    refused("", "a version is missing", (0, 0));
    refused(">=1.0.0 ||", "a version is missing", (10, 10));
    refused("latest", "`latest` is not a version", (0, 6));
    refused(">=1.0.0, <2.o", "`2.o` is not a version", (10, 13));
    refused(">=1.0.0,", "a version is missing after the comma", (8, 8));
    refused("^", "a version is missing", (1, 1));
    refused(
        ">=1.0.0<2.0.0",
        "a space or comma is missing before this",
        (7, 13),
    );
    refused("1.2.3.4", "`1.2.3.4` is not a version", (0, 7));
    refused("|| 1.0.0", "a version is missing", (0, 0));
    refused("1.0.0 || >>2", "a version is missing", (10, 10));
    refused(
        "99999999999999999999.0.0",
        "`99999999999999999999.0.0` is not a version",
        (0, 24),
    );
}

#[test]
fn a_dependency_may_be_a_digest() {
    let digest = format!("sha256:{}", "a".repeat(64));
    assert!(matches!(
        Constraint::parse_dependency(&digest),
        Ok(Constraint::Digest(_))
    ));
    Constraint::parse_dependency("sha256:abc").unwrap_err();
    Constraint::parse(&digest).unwrap_err();
}
