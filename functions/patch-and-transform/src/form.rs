//! Which resources can be made in one piece, and which patches do the same work?

use std::collections::BTreeMap;

use purlin_object::Form;
use purlin_object::path::Segment;

use crate::plan::{Field, Formed, PatchKind, Template};

/// Notes both in the templates; answers how many different values are taken from the composite.
pub(crate) fn prepare(templates: &mut [Template]) -> usize {
    let mut taken = BTreeMap::new();
    for template in templates {
        for step in &mut template.steps {
            if matches!(
                step.patch.kind,
                PatchKind::FromComposite | PatchKind::CombineFromComposite
            ) {
                // What a patch reads and how it transforms it, in words; nothing else makes its value.
                let key = format!("{:?} {:?}", step.patch.source, step.patch.ops);
                let next = taken.len();
                step.taken = Some(*taken.entry(key).or_insert(next));
            }
        }
        template.formed = formed(template);
    }
    taken.len()
}

/// The form of a template. None when a patch merges, writes into a list, or writes below what another one writes.
fn formed(template: &mut Template) -> Option<Formed> {
    let base = template.base.as_ref()?;
    let mut paths: Vec<Vec<&str>> = vec![vec!["metadata", "namespace"], vec!["metadata", "name"]];
    let mut holes = Vec::with_capacity(template.steps.len());
    for step in &template.steps {
        if !step.patch.kind.writes_resource() {
            holes.push(None);
            continue;
        }
        let Field::At(to) = &step.patch.to else {
            return None;
        };
        if !matches!(step.patch.merge, Ok(None)) || to.has_wildcards() {
            return None;
        }
        let path: Vec<&str> = (to.segments().iter())
            .map(|segment| match segment {
                Segment::Field(name) => Some(&**name),
                Segment::Index(_) => None,
            })
            .collect::<Option<_>>()?;
        let hole = paths.iter().position(|held| *held == path);
        let hole = hole.unwrap_or_else(|| {
            paths.push(path);
            paths.len() - 1
        });
        holes.push(Some(hole));
    }
    let count = paths.len();
    let form = Form::new(base.as_ref(), paths.iter().map(|path| path.iter().copied()))?;
    for (step, hole) in template.steps.iter_mut().zip(holes) {
        step.hole = hole;
    }
    Some(Formed { form, holes: count })
}

#[cfg(test)]
mod tests {
    use purlin_function::{Function as _, Resource, RunFunctionRequest};
    use purlin_object::Object;
    use serde_json::{Value, json};

    use crate::PatchAndTransform;
    use crate::compile::compile;

    const BASE: &str = r#"{"apiVersion": "s3/v1", "kind": "Bucket", "metadata": {"labels": {"a": "b"}}, "spec": {"list": [1], "size": 1}}"#;

    fn input(patches: &Value) -> Object {
        let base: Value = serde_json::from_str(BASE).expect("JSON");
        let input = json!({"resources": [{"name": "r", "base": base, "patches": patches}]});
        Object::from_json(input).expect("an object")
    }

    fn copy(from: &str, to: &str) -> Value {
        json!({"fromFieldPath": from, "toFieldPath": to})
    }

    /// What patches make of the base, with and without the form.
    fn check(patches: &Value, formed: bool) {
        let composite = json!({"kind": "X", "metadata": {"name": "x"}, "spec": {"a": "one", "b": {"c": 2}, "n": null}});
        for observed in [
            None,
            Some(json!({"metadata": {"name": "r-1"}})),
            Some(json!({"metadata": {"name": "r-1", "namespace": "ns"}})),
            Some(json!({})),
        ] {
            let mut request = RunFunctionRequest {
                input: Some(input(patches)),
                ..RunFunctionRequest::default()
            };
            let state = request.observed.get_or_insert_default();
            let object = |json: &Value| Resource {
                resource: Some(Object::from_json(json.clone()).expect("an object")),
                ..Resource::default()
            };
            state.composite = Some(object(&composite));
            if let Some(observed) = &observed {
                state.resources.insert("r".to_owned(), object(observed));
            }
            let plan = compile(&input(patches)).expect("a plan");
            assert_eq!(
                plan.templates.first().map(|it| it.formed.is_some()),
                Some(formed)
            );
            let with = PatchAndTransform::default().run(&request);
            let mut apart = plan;
            for template in &mut apart.templates {
                template.formed = None;
            }
            let without = crate::function::run(&apart, &request);
            assert_eq!(with, without, "{patches} {observed:?}");
        }
    }

    #[test]
    fn a_form_makes_what_patches_make_one_after_the_other() {
        let bad = json!({"fromFieldPath": "spec.a", "toFieldPath": "spec.x", "transforms": [{"type": "math", "math": {"type": "Multiply", "multiply": 2}}]});
        let required = json!({"fromFieldPath": "spec.no", "toFieldPath": "spec.x", "policy": {"fromFieldPath": "Required"}});
        check(&json!([]), true);
        check(
            &json!([
                copy("spec.a", "spec.size"),
                copy("spec.b", "spec.deep.er"),
                copy("spec.n", "spec.null"),
                copy("spec.none", "spec.size"),
                copy("spec.a", "metadata.labels[x.y/z]"),
                copy("spec.none", "made.only.when.there"),
            ]),
            true,
        );
        check(
            &json!([
                copy("spec.a", "metadata.name"),
                copy("spec.a", "spec.size"),
                copy("spec.b", "spec.size")
            ]),
            true,
        );
        check(&json!([copy("spec.a", "spec.y"), required]), true);
        check(&json!([copy("spec.a", "spec.y"), bad]), true);
    }

    #[test]
    fn what_a_form_cannot_make_is_made_without_one() {
        check(&json!([copy("spec.a", "spec.list[0]")]), false);
        check(
            &json!([copy("spec.b", "spec.b"), copy("spec.a", "spec.b.d")]),
            false,
        );
        check(&json!([copy("spec.a", "spec.size.x")]), false);
        check(&json!([copy("spec.a", "spec.list[*]")]), false);
        let merge = json!({"fromFieldPath": "spec.b", "toFieldPath": "spec.b", "policy": {"toFieldPath": "MergeObjects"}});
        check(&json!([merge]), false);
    }

    /// Guards the speed: a resource is written once, and not made of levels that are written again.
    #[test]
    fn a_formed_resource_is_in_one_piece() {
        let mut request = RunFunctionRequest {
            input: Some(input(&json!([copy("spec.a", "spec.size")]))),
            ..RunFunctionRequest::default()
        };
        request.observed.get_or_insert_default();
        let response = PatchAndTransform::default().run(&request);
        let resources = response.desired.unwrap_or_default().resources;
        let object = resources["r"].resource.as_ref().expect("an object");
        assert_eq!(object.to_wire().as_ptr(), object.to_wire().as_ptr());
    }
}
