//! How does a typed input become a plan? Nothing here fails for an input that [`crate::validate`] accepts.

use std::collections::BTreeMap;
use std::sync::Arc;

use prost::Message as _;
use purlin_diag::{Diagnostic, Diagnostics};
use purlin_function::input::decode_all;
use purlin_object::{Limits, Object, Path, Value, ValueRef};

use crate::form;
use crate::input::{self, Resources};
use crate::plan::{
    Check, Detail, DetailSource, Field, Patch, PatchKind, Plan, Secret, SecretPatch, Source, Step,
    Template, Test, merge_policy,
};
use crate::transform::{
    Convert, Fallback, Format, Kind, Map, Match, Math, Op, Pattern, StringOp, TextCase, regexp,
};
use crate::validate::validate;

/// The most patches a plan may have when its patch sets are expanded.
const MAX_STEPS: usize = 100_000;

/// What stops nothing until the patch comes to it, as upstream.
const LATE: &[&str] = &[crate::validate::FIELD_PATH, crate::validate::GROUP];

/// Everything that is wrong with an input, and the input as far as it is readable.
pub(crate) fn read(input: &Object) -> (Option<Resources>, Diagnostics) {
    let (input, mut found) = decode_all::<Resources>(ValueRef::Object(input.as_ref()));
    let Some(input) = input else {
        return (None, found);
    };
    let holes: Vec<String> = found.iter().filter_map(|one| one.path.clone()).collect();
    found.extend(validate(&input).into_iter().filter(|one| {
        // Where something was unreadable it is not missing.
        let path = one.path.as_deref().unwrap_or_default();
        !holes.iter().any(|hole| {
            let rest = path.strip_prefix(hole.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        })
    }));
    (Some(input), found)
}

/// Compiles an input, or says everything that is wrong with it.
pub(crate) fn compile(input: &Object) -> Result<Plan, Diagnostics> {
    let (input, found) = read(input);
    let stops = found.iter().any(|one| !LATE.contains(&one.code.0));
    let Some(input) = input.filter(|_| !stops) else {
        return Err(found);
    };
    let mut sets: BTreeMap<String, Vec<Step>> = BTreeMap::new();
    for (index, set) in input.patch_sets.into_iter().enumerate() {
        let place = format!("patchSets[{index}].patches");
        sets.insert(set.name, steps(&place, set.patches));
    }
    let mut templates = Vec::with_capacity(input.resources.len());
    let mut total = 0;
    for (index, one) in input.resources.into_iter().enumerate() {
        let one = template(&format!("resources[{index}]"), one, &sets);
        total += one.steps.len();
        if total > MAX_STEPS {
            let message = format!("more than {MAX_STEPS} patches, with those of patch sets");
            let finding = Diagnostic::error("input/too-large", message);
            return Err(finding.path(format!("resources[{index}].patches")).into());
        }
        templates.push(one);
    }
    let taken = form::prepare(&mut templates);
    Ok(Plan {
        environment: steps("environment.patches", input.environment.patches),
        templates,
        taken,
        secret: input.write_connection_secret_to_ref.map(secret),
    })
}

fn template(at: &str, template: input::Template, sets: &BTreeMap<String, Vec<Step>>) -> Template {
    let mut steps = Vec::with_capacity(template.patches.len());
    for (index, patch) in template.patches.into_iter().enumerate() {
        let place = format!("{at}.patches[{index}]");
        if patch.r#type == "PatchSet" {
            let set = sets.get(&patch.patch_set_name);
            steps.extend(set.into_iter().flatten().map(|step| Step {
                place: format!("{}, used in {place}", step.place),
                ..step.clone()
            }));
        } else if let Some(patch) = compile_patch(patch.split().0) {
            steps.push(step(place, patch));
        }
    }
    Template {
        name: template.name,
        base: template.base.and_then(own_bytes),
        steps,
        formed: None,
        details: template
            .connection_details
            .into_iter()
            .map(detail)
            .collect(),
        checks: template.readiness_checks.into_iter().map(check).collect(),
    }
}

/// A base in bytes of its own: those of the input belong to a whole request, which a plan must not keep.
fn own_bytes(base: Value) -> Option<Object> {
    let Value::Object(base) = base else {
        return None;
    };
    Object::from_wire(base.encode_to_vec(), Limits::default()).ok()
}

fn steps(place: &str, patches: Vec<input::Patch>) -> Vec<Step> {
    let patches = patches.into_iter().enumerate();
    patches
        .filter_map(|(index, patch)| Some(step(format!("{place}[{index}]"), compile_patch(patch)?)))
        .collect()
}

fn step(place: String, patch: Patch) -> Step {
    Step {
        place,
        patch: Arc::new(patch),
        taken: None,
        hole: None,
    }
}

/// A patch that was checked; none when it is malformed after all.
fn compile_patch(patch: input::Patch) -> Option<Patch> {
    let kind = PatchKind::parse(&patch.r#type)?;
    let to = if patch.to_field_path.is_empty() {
        &patch.from_field_path
    } else {
        &patch.to_field_path
    };
    let source = match patch.combine {
        Some(combine) if kind.combines() => Source::Combined {
            paths: combine
                .variables
                .iter()
                .map(|variable| Field::parse(&variable.from_field_path))
                .collect(),
            format: combine.string?.fmt,
        },
        _ => Source::Field(Field::parse(&patch.from_field_path)),
    };
    let merge = patch.policy.to_field_path.as_deref();
    Some(Patch {
        kind,
        source,
        to: Field::parse(to),
        ops: patch.transforms.into_iter().map(op).collect(),
        required: patch.policy.from_field_path.as_deref() == Some("Required"),
        merge: merge.map_or(Ok(None), merge_policy),
    })
}

fn detail(detail: input::Detail) -> Detail {
    let text = Option::unwrap_or_default;
    Detail {
        name: detail.name,
        from: match detail.r#type.as_str() {
            "FromConnectionSecretKey" => DetailSource::Key(text(detail.from_connection_secret_key)),
            "FromFieldPath" => DetailSource::Field(Path::parse(&text(detail.from_field_path)).ok()),
            _ => DetailSource::Value(text(detail.value)),
        },
    }
}

fn check(check: input::Check) -> Check {
    let test = match check.r#type.as_str() {
        "None" => return Check::Always,
        "MatchCondition" => {
            let condition = check.match_condition.unwrap_or(input::MatchCondition {
                r#type: "Ready".to_owned(),
                status: "True".to_owned(),
            });
            return Check::Condition {
                kind: condition.r#type,
                status: condition.status,
            };
        }
        "MatchString" => Test::Text(check.match_string.unwrap_or_default()),
        "MatchInteger" => Test::Integer,
        "MatchTrue" => Test::Bool(true),
        "MatchFalse" => Test::Bool(false),
        _ => Test::NonEmpty,
    };
    match Path::parse(&check.field_path.unwrap_or_default()) {
        Ok(path) => Check::Field { path, test },
        Err(error) => Check::Malformed(error.to_string()),
    }
}

fn secret(secret: input::SecretRef) -> Secret {
    Secret {
        name: secret.name,
        namespace: secret.namespace,
        patches: secret.patches.into_iter().map(secret_patch).collect(),
    }
}

fn secret_patch(patch: input::Patch) -> SecretPatch {
    let name = patch.r#type.clone();
    match PatchKind::parse(&name) {
        Some(PatchKind::FromComposite | PatchKind::CombineFromComposite) => {
            match compile_patch(patch) {
                Some(patch) => SecretPatch::Patch(Box::new(patch)),
                None => SecretPatch::Broken(
                    "it needs `combine` with `variables` and `string: {fmt: …}`".to_owned(),
                ),
            }
        }
        _ => SecretPatch::Broken(format!(
            "its type {name} is unsupported here; use FromCompositeFieldPath or CombineFromComposite"
        )),
    }
}

/// A transform; one that cannot run says why when it does.
fn op(transform: input::Transform) -> Op {
    let compiled = match transform.r#type.as_str() {
        "math" => transform
            .math
            .as_ref()
            .ok_or("math")
            .and_then(math)
            .map(Op::Math),
        "map" => transform
            .map
            .ok_or("map")
            .map(|pairs| Op::Map(Map { pairs })),
        "match" => transform
            .r#match
            .ok_or("match")
            .map(|settings| Op::Match(matching(settings))),
        "string" => match transform.string.ok_or("string").map(string) {
            Ok(Ok(op)) => Ok(Op::String(op)),
            Ok(Err(message)) => Ok(Op::Broken(message)),
            Err(name) => Err(name),
        },
        "convert" => transform.convert.as_ref().ok_or("convert").map(convert),
        other => Ok(Op::Broken(format!("there is no transform `{other}`"))),
    };
    compiled.unwrap_or_else(|name| Op::Broken(format!("`{name}` is missing")))
}

fn math(math: &input::Math) -> Result<Math, &'static str> {
    match math.r#type.as_str() {
        "Multiply" => math.multiply.map(Math::Multiply).ok_or("math.multiply"),
        "ClampMin" => math.clamp_min.map(Math::ClampMin).ok_or("math.clampMin"),
        "ClampMax" => math.clamp_max.map(Math::ClampMax).ok_or("math.clampMax"),
        _ => Err("math.type"),
    }
}

fn matching(settings: input::Match) -> Match {
    let patterns = settings.patterns.into_iter().map(|pattern| {
        let compiled = match (pattern.r#type.as_str(), pattern.literal, pattern.regexp) {
            ("literal", Some(literal), _) => Pattern::Literal(literal),
            ("regexp", _, Some(regexp)) => match regexp::compile(&regexp) {
                Ok(regexp) => Pattern::Regexp(regexp),
                Err(error) => Pattern::Broken(error),
            },
            (kind @ ("literal" | "regexp"), ..) => Pattern::Broken(format!("`{kind}` is missing")),
            (other, ..) => Pattern::Broken(format!(
                "its type is `{other}`; say `type: literal` or `type: regexp`"
            )),
        };
        (compiled, pattern.result.unwrap_or_default())
    });
    let value = settings.fallback_value.unwrap_or_default();
    Match {
        patterns: patterns.collect(),
        fallback: match (settings.fallback_to.as_str(), value) {
            ("Input", Value::Null) => Fallback::Input,
            ("Input", _) => Fallback::Both,
            (_, value) => Fallback::Value(value),
        },
    }
}

fn string(text: input::Text) -> Result<StringOp, String> {
    let missing = |name: &str| format!("`string.{name}` is missing");
    Ok(match text.r#type.as_str() {
        "Format" => StringOp::Format(text.fmt.ok_or_else(|| missing("fmt"))?),
        "Convert" => return string_convert(&text.convert.ok_or_else(|| missing("convert"))?),
        "TrimPrefix" => StringOp::TrimPrefix(text.trim.ok_or_else(|| missing("trim"))?),
        "TrimSuffix" => StringOp::TrimSuffix(text.trim.ok_or_else(|| missing("trim"))?),
        "Regexp" => {
            let settings = text.regexp.ok_or_else(|| missing("regexp"))?;
            let group = usize::try_from(settings.group.unwrap_or(0));
            StringOp::Regexp {
                regexp: regexp::compile(&settings.r#match)?,
                group: group.map_err(|_| "`string.regexp.group` is negative".to_owned())?,
                pattern: settings.r#match,
            }
        }
        "Join" => StringOp::Join(text.join.ok_or_else(|| missing("join"))?.separator),
        "Replace" => {
            let replace = text.replace.ok_or_else(|| missing("replace"))?;
            StringOp::Replace {
                search: replace.search,
                replace: replace.replace,
            }
        }
        other => return Err(format!("there is no string transform `{other}`")),
    })
}

fn string_convert(name: &str) -> Result<StringOp, String> {
    Ok(match name {
        "ToUpper" => StringOp::Case(TextCase::Upper),
        "ToLower" => StringOp::Case(TextCase::Lower),
        "ToBase64" => StringOp::ToBase64,
        "FromBase64" => StringOp::FromBase64,
        "ToJson" => StringOp::ToJson,
        "ToSha1" => StringOp::ToSha1,
        "ToSha256" => StringOp::ToSha256,
        "ToSha512" => StringOp::ToSha512,
        "ToAdler32" => StringOp::ToAdler32,
        other => {
            return Err(format!(
                "there is no string conversion `{other}`; use ToUpper, ToLower, ToBase64, FromBase64, ToJson, ToSha1, \
                 ToSha256, ToSha512 or ToAdler32"
            ));
        }
    })
}

fn convert(convert: &input::Convert) -> Op {
    let format = match &convert.format {
        None => Some(Format::None),
        Some(name) => Format::parse(name),
    };
    match (Kind::parse(&convert.to_type), format) {
        (Some(to), Some(format)) => Op::Convert(Convert { to, format }),
        _ => Op::Broken("`convert.toType` or `convert.format` is unknown".to_owned()),
    }
}
