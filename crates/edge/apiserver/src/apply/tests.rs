//! What structured-merge-diff's own tests promise, as scripts.

#![expect(
    clippy::needless_pass_by_value,
    reason = "scripts read better without references"
)]

use std::sync::Arc;

use serde_json::{Value, json};

use super::managed::ManagerId;
use super::shape::{self, Shape};
use super::updater::{self, Managers, Rules};
use crate::kinds::types::METADATA;

fn schema() -> Arc<Shape> {
    let text = json!({"type": "string"});
    let item = json!({"type": "object", "properties": {
        "name": text, "value": {"type": "number"},
        "set": {"type": "array", "x-kubernetes-list-type": "set", "items": text},
    }});
    let schema = json!({"type": "object", "properties": {
        "string": text, "numeric": {"type": "number"}, "bool": {"type": "boolean"},
        "struct": {"type": "object", "properties": {"name": text, "value": {"type": "number"}, "scalar": text}},
        "solid": {
            "type": "object", "x-kubernetes-map-type": "atomic",
            "properties": {"numeric": {"type": "number"}, "string": text},
        },
        "set": {"type": "array", "x-kubernetes-list-type": "set", "items": text},
        "list": {
            "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"], "items": item,
        },
        "ports": {
            "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["port", "protocol"],
            "items": {"type": "object", "properties": {
                "port": {"type": "integer"}, "protocol": {"type": "string", "default": "TCP"}, "name": text,
            }},
        },
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
    }});
    shape::from_openapi(&schema, &METADATA)
}

struct World {
    rules: Rules,
    object: Value,
    managers: Managers,
}

impl World {
    fn new() -> Self {
        let rules = Rules {
            shape: schema(),
            version: "v1".into(),
            ignored: super::set::Set::default(),
            empty: json!({}),
        };
        Self {
            rules,
            object: json!({}),
            managers: Managers::new(),
        }
    }

    fn try_apply(&mut self, who: &str, config: &Value, force: bool) -> Result<(), String> {
        let id = ManagerId::new(who, true, "v1", "");
        let applied = updater::apply(
            &self.rules,
            &self.object,
            config,
            self.managers.clone(),
            (&id, force),
        );
        let applied = applied.map_err(|conflicts| {
            let shown = conflicts.iter().flat_map(|(id, set)| {
                let paths = set.paths().into_iter();
                paths.map(|path| {
                    let path: String = path.iter().map(super::path::Element::describe).collect();
                    format!("{} {path}", id.name)
                })
            });
            shown.collect::<Vec<_>>().join(", ")
        })?;
        self.object = applied.object;
        self.managers = applied.managers;
        Ok(())
    }

    fn apply(mut self, who: &str, config: Value) -> Self {
        self.try_apply(who, &config, false).expect("no conflict");
        self
    }

    fn force(mut self, who: &str, config: Value) -> Self {
        self.try_apply(who, &config, true).expect("force wins");
        self
    }

    fn conflicts(mut self, who: &str, config: Value, expected: &str) -> Self {
        let before = self.object.clone();
        assert_eq!(
            self.try_apply(who, &config, false),
            Err(expected.to_owned())
        );
        assert_eq!(self.object, before);
        self
    }

    fn update(mut self, who: &str, object: Value) -> Self {
        let id = ManagerId::new(who, false, "v1", "");
        self.managers = updater::update(&self.rules, &self.object, &object, self.managers, &id);
        self.object = object;
        self
    }

    fn is(self, object: Value) -> Self {
        assert_eq!(self.object, object);
        self
    }

    fn owns(self, who: &str, fields: Value) -> Self {
        let found = self.managers.iter().find(|(id, _)| id.name == who);
        assert_eq!(found.map(|(_, owned)| owned.set.render()), Some(fields));
        self
    }

    fn owns_nothing(self, who: &str) -> Self {
        assert!(self.managers.keys().all(|id| id.name != who));
        self
    }
}

#[test]
fn what_is_applied_no_longer_goes_unless_somebody_else_has_it() {
    World::new()
        .apply("d", json!({"numeric": 1, "string": "s", "bool": true}))
        .apply("d", json!({"string": "new"}))
        .is(json!({"string": "new"}))
        .owns("d", json!({"f:string": {}}));
    World::new()
        .apply("d", json!({"numeric": 2}))
        .update("c", json!({"numeric": 1}))
        .apply("d", json!({}))
        .is(json!({"numeric": 1}))
        .owns_nothing("d");
    World::new()
        .apply("1", json!({"struct": {"name": "a", "scalar": "a"}}))
        .apply("2", json!({"struct": {"scalar": "a"}}))
        .apply("1", json!({"struct": {"name": "a"}}))
        .is(json!({"struct": {"name": "a", "scalar": "a"}}))
        .owns("2", json!({"f:struct": {"f:scalar": {}}}));
}

#[test]
fn what_others_own_conflicts_and_force_takes_it() {
    World::new()
        .apply("d", json!({"numeric": 1, "string": "s"}))
        .update("c", json!({"numeric": 1, "string": "ctl", "bool": true}))
        .conflicts("d", json!({"numeric": 2, "string": "user"}), "c .string")
        .force("d", json!({"numeric": 2, "string": "user"}))
        .is(json!({"numeric": 2, "string": "user", "bool": true}))
        .owns("c", json!({"f:bool": {}}));
    World::new()
        .apply("1", json!({"solid": {"numeric": 1, "string": "a"}}))
        .conflicts("2", json!({"solid": {"string": "b"}}), "1 .solid")
        .force("2", json!({"solid": {"string": "b"}}))
        .is(json!({"solid": {"string": "b"}}))
        .owns_nothing("1");
}

#[test]
fn sets_keep_what_others_added_and_take_the_applied_order() {
    World::new()
        .apply("d", json!({"set": ["a", "c"]}))
        .update("c", json!({"set": ["a", "b", "c", "d"]}))
        .apply("d", json!({"set": ["a", "aprime", "c", "cprime"]}))
        .is(json!({"set": ["a", "b", "aprime", "c", "d", "cprime"]}))
        .owns("c", json!({"f:set": {"v:\"b\"": {}, "v:\"d\"": {}}}));
    World::new()
        .apply("d", json!({"set": ["a", "b", "c", "d"]}))
        .apply("d", json!({"set": ["a", "d", "c", "b"]}))
        .is(json!({"set": ["a", "d", "c", "b"]}));
    World::new()
        .apply("d", json!({"set": ["a", "b", "c", "d"]}))
        .apply("d", json!({"set": ["a", "c"]}))
        .is(json!({"set": ["a", "c"]}));
}

#[test]
fn items_go_with_all_below_them_when_nobody_else_has_the_item() {
    let list = |items: Value| json!({"list": items});
    World::new()
        .apply(
            "1",
            list(json!([{"name": "a"}, {"name": "b", "set": ["c"]}])),
        )
        .apply("2", list(json!([{"name": "b", "set": ["d"]}])))
        .apply("1", list(json!([{"name": "a"}])))
        .is(list(json!([{"name": "a"}, {"name": "b", "set": ["d"]}])));
    World::new()
        .apply(
            "1",
            list(json!([{"name": "a"}, {"name": "b", "set": ["c"]}])),
        )
        .apply("2", list(json!([{"name": "a", "set": ["b"]}])))
        .update(
            "c",
            list(json!([{"name": "a", "set": ["b"]}, {"name": "b", "set": ["c", "d"]}])),
        )
        .apply("1", list(json!([{"name": "a"}])))
        .is(list(json!([{"name": "a", "set": ["b"]}])))
        .owns_nothing("c");
    World::new()
        .apply("1", list(json!([{"name": "a", "value": 0}])))
        .conflicts(
            "2",
            list(json!([{"name": "a", "value": 1}])),
            "1 .list[name=\"a\"].value",
        );
}

#[test]
fn defaults_of_keys_identify_items_and_are_not_owned() {
    World::new()
        .apply("d", json!({"ports": [{"port": 80}]}))
        .owns(
            "d",
            json!({"f:ports": {"k:{\"port\":80,\"protocol\":\"TCP\"}": {".": {}, "f:port": {}}}}),
        );
    World::new()
        .apply(
            "1",
            json!({"ports": [{"port": 80, "protocol": "TCP", "name": "foo"}]}),
        )
        .conflicts(
            "2",
            json!({"ports": [{"port": 80, "name": "bar"}]}),
            "1 .ports[port=80,protocol=\"TCP\"].name",
        );
}

#[test]
fn duplicates_that_are_there_are_one_value() {
    let list = |items: Value| json!({"list": items});
    let twice =
        json!([{"name": "a", "value": 1}, {"name": "a", "value": 2}, {"name": "b", "value": 3}]);
    World::new()
        .update("u", list(twice.clone()))
        .conflicts(
            "x",
            list(json!([{"name": "a", "value": 2}])),
            "u .list[name=\"a\"]",
        )
        .force("x", list(json!([{"name": "a", "value": 2}])))
        .is(list(
            json!([{"name": "a", "value": 2}, {"name": "b", "value": 3}]),
        ));
    World::new()
        .update("u", list(twice))
        .force("x", list(json!([{"name": "b", "value": 4}])))
        .is(list(json!([
            {"name": "a", "value": 1}, {"name": "a", "value": 2}, {"name": "b", "value": 4},
        ])));
}

#[test]
fn a_null_does_not_erase_what_others_put_into_a_struct() {
    World::new()
        .apply("d", json!({"struct": {"name": "a"}}))
        .update("c", json!({"struct": {"name": "b", "value": 1}}))
        .apply("d", json!({"struct": null}))
        .is(json!({"struct": {"name": "b", "value": 1}}));
    World::new()
        .apply("d", json!({"struct": {"name": "a"}}))
        .apply("d", json!({}))
        .is(json!({}));
}

#[test]
fn undeclared_content_merges_maps_and_keeps_lists_whole() {
    World::new()
        .apply("d", json!({"free": {"a": {"b": 1}, "list": [1, 2]}}))
        .update(
            "c",
            json!({"free": {"a": {"b": 1, "c": 2}, "list": [1, 2, 3]}}),
        )
        .conflicts(
            "d",
            json!({"free": {"a": {"b": 1}, "list": [1]}}),
            "c .free.list",
        )
        .force("d", json!({"free": {"a": {"b": 1}, "list": [1]}}))
        .is(json!({"free": {"a": {"b": 1, "c": 2}, "list": [1]}}));
}

#[test]
fn applying_twice_changes_nothing() {
    let config =
        json!({"set": ["a"], "list": [{"name": "x", "value": 1.0}], "free": {"deep": {"er": []}}});
    let world = World::new().apply("d", config.clone());
    let (object, managers) = (world.object.clone(), world.managers.clone());
    let world = world.apply("d", config);
    assert_eq!((world.object, world.managers), (object, managers));
}

#[test]
fn field_sets_survive_being_written() {
    let world = World::new().apply(
        "d",
        json!({"set": ["a"], "ports": [{"port": 1}], "struct": {"name": "x"}}),
    );
    for owned in world.managers.values() {
        assert_eq!(
            super::set::Set::parse(&owned.set.render()).as_ref(),
            Some(&owned.set)
        );
    }
}
