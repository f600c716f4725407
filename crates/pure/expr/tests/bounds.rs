//! Nothing an expression does is without bound, and what stops it says which limit it was.

use purlin_expr::{Bindings, Limits, Outcome, Program};

/// How it fails: the code and the message.
fn fault(source: &str) -> (String, String) {
    let program = match Program::parse(source) {
        Ok(program) => program,
        Err(problems) => return (problems[0].code.to_owned(), problems[0].message.clone()),
    };
    match program.eval(&Bindings::new()) {
        Outcome::Fault(fault) => (fault.kind.code().to_owned(), fault.message),
        other => (
            "none".to_owned(),
            format!("{other:?}").chars().take(80).collect(),
        ),
    }
}

/// Ten times ten times … the same list: small, until it is written out.
fn thousandfold(levels: usize, body: &str) -> String {
    let mut source = body.replace("END", &format!("v{levels}"));
    for level in (1..=levels).rev() {
        let below = if level == 1 {
            "'0123456789'".to_owned()
        } else {
            format!("v{}", level - 1)
        };
        let ten = vec![below; 10].join(", ");
        source = format!("cel.bind(v{level}, [{ten}], {source})");
    }
    source
}

#[test]
fn every_limit_is_named() {
    let long = "x".repeat(20_000);
    let wide = vec!["a.b"; 1_100].join(" && ");
    let chain = vec!["1"; 400].join(" + ");
    let nested = format!("{}1{}", "(".repeat(60), ")".repeat(60));
    let steps = "lists.range(10000).all(a, lists.range(10000).all(b, true))";
    let memory = "lists.range(400000) == []";
    for (source, code, limit) in [
        (long.as_str(), "expr/too-long", "16384"),
        (&wide, "expr/too-many-operators", "1000"),
        (&chain, "expr/too-deep", "160"),
        (&nested, "expr/too-deep", "40"),
        (
            steps,
            "expr/too-expensive",
            "1000000 steps, the limit of its cost",
        ),
        (
            memory,
            "expr/too-large",
            "16777216 bytes, the limit of its memory",
        ),
        (
            &thousandfold(8, "END"),
            "expr/too-large",
            "16777216 bytes, the limit of its output",
        ),
        (
            &format!("'a'.matches('{}')", "a".repeat(9000)),
            "expr/regex",
            "8192",
        ),
        ("'a'.matches('((a{1,900}){1,900})')", "expr/regex", ""),
        ("'%.101f'.format([1.0])", "expr/argument", "100"),
        ("random.seededString(2000, 's')", "expr/argument", "1024"),
    ] {
        let (found, message) = fault(source);
        let shown: String = source.chars().take(60).collect();
        assert_eq!(found, code, "{shown}: {message}");
        assert!(message.contains(limit), "{shown}: {message}");
    }
}

#[test]
fn what_is_small_until_it_is_looked_at_is_bounded_too() {
    for body in [
        "json.marshal(END)",
        "'%s'.format([END])",
        "END == END.map(x, x)",
        "END.flatten(8)",
        "[END, END].distinct()",
        "{'a': END}.deepMerge({'a': END})",
        "END.map(x, [END, x])",
    ] {
        let (code, message) = fault(&thousandfold(8, body));
        assert!(
            matches!(code.as_str(), "expr/too-large" | "expr/too-expensive"),
            "{body}: {code} {message}"
        );
    }
}

#[test]
fn running_out_is_not_absorbed() {
    for source in [
        "lists.range(2000000) == [] || true",
        "[1].exists(x, lists.range(2000000) == []) || true",
    ] {
        let (code, _) = fault(source);
        assert!(
            matches!(code.as_str(), "expr/too-large" | "expr/too-expensive"),
            "{source}: {code}"
        );
    }
}

#[test]
fn the_steps_of_an_evaluation_are_told() {
    let program = Program::parse("[1, 2, 3].map(x, x * 2).sum() == 12");
    let program = program.unwrap_or_else(|problems| unreachable!("{problems:?}"));
    let (outcome, used) = program.eval_within(&Bindings::new(), Limits::default());
    assert!(matches!(outcome, Outcome::Ok(_)));
    assert!((10..60).contains(&used), "{used}");
    let tight = Limits {
        fuel: used - 1,
        ..Limits::default()
    };
    assert!(matches!(
        program.eval_within(&Bindings::new(), tight).0,
        Outcome::Fault(_)
    ));
}
