use super::compile;

fn check(pattern: &str, text: &str, found: Option<&str>) {
    let regexp = compile(pattern).expect(pattern);
    let matched = regexp.find(text.as_bytes());
    let matched = matched.map(|m| String::from_utf8_lossy(m.as_bytes()));
    assert_eq!(matched.as_deref(), found, "{pattern} on {text}");
}

#[test]
fn classes_mean_what_they_mean_in_go() {
    check("\\d+", "a٣7", Some("7"));
    check("\\w+", "é_a1", Some("_a1"));
    check("\\bb", "éb", Some("b"));
    check("[[a]+", "x[a[", Some("[a["));
    check("[a&&b]+", "x&b", Some("&b"));
    check("[]a]+", "x]a", Some("]a"));
    check("[^]a]+", "]ax", Some("x"));
    check("[a-]+", "x-a", Some("-a"));
    check("[[:alpha:]_]+", "1a_", Some("a_"));
    check("[\\d.]+", "v1.2", Some("1.2"));
    check("[\\D]+", "1ab", Some("ab"));
    check("\\Qa.b\\E+", "a.bb", Some("a.bb"));
    check("a\\<b", "a<b", Some("a<b"));
    check("my-([0-9]+)-string", "my-1-string", Some("my-1-string"));
    check("(?i)EU", "eu-west", Some("eu"));
    check("x", "abc", None);
    check("[a-c-e]+", "x-eb", Some("-eb"));
    check("[\\d-a]+", "x1-a", Some("1-a"));
    check("[^[:^alpha:]]+", "1ab2", Some("ab"));
    check("\\P{^Greek}+", "aαβ", Some("αβ"));
    check("\\pL+", "1é", Some("é"));
}

#[test]
fn what_is_spelt_otherwise_in_go_means_the_same() {
    check("a{,2}", "aa{,2}", Some("a{,2}"));
    check("a{2", "aa{2", Some("a{2"));
    check("a{02}", "a{02}", Some("a{02}"));
    check("a{2}?", "aaa", Some("aa"));
    check("\\12", "a\nb", Some("\n"));
    check("\\x41\\x{1F600}", "A😀", Some("A😀"));
    check("\\_\\-\\ ", "_- ", Some("_- "));
    check("(?)a", "a", Some("a"));
    check("(?<n>a)(?P<m>b)(?P<1x>c)", "abc", Some("abc"));
    check("(?U)a+", "aaa", Some("a"));
    check("(?-i)a|(?i:B)", "b", Some("b"));
    check("x*", "abc", Some(""));
    check("a b#c", "a b#c", Some("a b#c"));
    check("\\b{", "a{", Some("{"));
    check("(a{30}){33}", &"a".repeat(990), Some(&"a".repeat(990)));
}

#[test]
fn what_go_refuses_is_refused_in_its_words() {
    for (pattern, words) in [
        ("?", "missing argument to repetition operator: `?`"),
        ("a|*", "missing argument to repetition operator: `*`"),
        ("(+)", "missing argument to repetition operator: `+`"),
        ("a**", "invalid nested repetition operator: `**`"),
        ("a*??", "invalid nested repetition operator: `*??`"),
        ("a{2}{3}", "invalid nested repetition operator: `{2}{3}`"),
        ("a{1001}", "invalid repeat count: `{1001}`"),
        ("a{3,2}", "invalid repeat count: `{3,2}`"),
        ("(a{100}){11}", "invalid repeat count: `{11}`"),
        (
            "a{99999999999999999999}",
            "invalid repeat count: `{99999999999999999999}`",
        ),
        ("[a-z", "missing closing ]: `[a-z`"),
        ("[]", "missing closing ]: `[]`"),
        ("[z-a]", "invalid character class range: `z-a`"),
        ("[[:foo:]]", "invalid character class range: `[:foo:]`"),
        ("\\p{x=y}", "invalid character class range: `\\p{x=y}`"),
        ("(", "missing closing ): `(`"),
        ("a)", "unexpected ): `a)`"),
        ("(?P<", "invalid named capture: `(?P<`"),
        ("(?<=a)", "invalid named capture: `(?<=a)`"),
        ("(?P<n>a)(?P<n>b)", "duplicate capture group name: `n`"),
        ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"),
        ("(?x)a", "invalid or unsupported Perl syntax: `(?x`"),
        ("(?i-)a", "invalid or unsupported Perl syntax: `(?i-)`"),
        ("\\", "trailing backslash at end of expression: ``"),
        ("\\1", "invalid escape sequence: `\\1`"),
        ("\\C", "invalid escape sequence: `\\C`"),
        ("\\Z", "invalid escape sequence: `\\Z`"),
        ("\\u0041", "invalid escape sequence: `\\u`"),
        ("[a-\\d]", "invalid escape sequence: `\\d`"),
        ("\\x{110000}", "invalid escape sequence: `\\x{110000}`"),
    ] {
        assert_eq!(compile(pattern).expect_err(pattern), words);
    }
    let error = compile(&format!("{}{}", "(".repeat(300), ")".repeat(300)));
    assert!(!error.expect_err("too deep").contains('\n'));
}
