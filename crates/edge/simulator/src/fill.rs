//! What would `status.atProvider` say? Fields the spec has are copied, others are made up by name, as the schema types
//! them; what nobody can guess stays empty.

use purlin_schema::{Additional, Kind, Schema};
use serde_json::{Map, Value, json};

use crate::fake::Identity;

/// The content of `status.atProvider`.
pub(crate) fn at_provider(schema: &Schema, object: &Value, identity: &Identity) -> Value {
    let given = object.pointer("/spec/forProvider").unwrap_or(&Value::Null);
    let mut out = Map::new();
    if schema.preserve_unknown && schema.properties.is_empty() {
        out.extend(given.as_object().cloned().unwrap_or_default());
        out.insert("id".to_owned(), identity.external_name.clone().into());
        out.insert("arn".to_owned(), identity.arn.clone().into());
        return Value::Object(out);
    }
    for (name, property) in &schema.properties {
        let copied = given
            .get(name)
            .filter(|value| fits(value, property))
            .cloned();
        if let Some(value) = copied.or_else(|| made_up(name, property, given, identity)) {
            out.insert(name.clone(), value);
        }
    }
    Value::Object(out)
}

fn made_up(name: &str, schema: &Schema, given: &Value, identity: &Identity) -> Option<Value> {
    if let Some(default) = &schema.default {
        return Some(default.clone());
    }
    match schema.kind? {
        Kind::String => text(name, given, identity).filter(|value| fits(value, schema)),
        Kind::Integer | Kind::Number => (name == "port").then(|| port(given).into()),
        Kind::Object if name == "tagsAll" => given.get("tags").cloned(),
        Kind::Object => {
            let fields = schema.required.iter().filter_map(|field| {
                let value = made_up(field, schema.properties.get(field)?, given, identity)?;
                Some((field.clone(), value))
            });
            let fields: Map<String, Value> = fields.collect();
            (!fields.is_empty()).then_some(Value::Object(fields))
        }
        Kind::Boolean | Kind::Array => None,
    }
}

fn text(name: &str, given: &Value, identity: &Identity) -> Option<Value> {
    let id = &identity.external_name;
    let Identity {
        region,
        account,
        service,
        ..
    } = identity;
    let host = || {
        format!(
            "{id}.{}.{region}.{service}.example.com",
            identity.hex("host", 12)
        )
    };
    let made = match name {
        "id" | "name" | "identifier" | "bucket" => id.clone(),
        "arn" => identity.arn.clone(),
        "region" | "bucketRegion" => region.clone(),
        "ownerId" | "accountId" => account.clone(),
        "status" | "state" => "available".to_owned(),
        "address" | "dnsName" => host(),
        "endpoint" => format!("{}:{}", host(), port(given)),
        "domainName" | "bucketDomainName" => format!("{id}.{service}.example.com"),
        "bucketRegionalDomainName" => format!("{id}.{service}.{region}.example.com"),
        "resourceId" => format!("db-{}", identity.hex("resource", 26).to_uppercase()),
        "engineVersionActual" => given["engineVersion"].as_str()?.to_owned(),
        "hostedZoneId" => format!("Z{}", identity.hex("zone", 13).to_uppercase()),
        _ => with_ending(name, identity)?,
    };
    Some(made.into())
}

fn with_ending(name: &str, identity: &Identity) -> Option<String> {
    /// Ids of things the cloud makes along with an object.
    const BESIDE: &[(&str, &str)] = &[
        ("defaultNetworkAclId", "acl"),
        ("defaultRouteTableId", "rtb"),
        ("defaultSecurityGroupId", "sg"),
        ("dhcpOptionsId", "dopt"),
        ("mainRouteTableId", "rtb"),
        ("vpcId", "vpc"),
    ];
    let beside = BESIDE.iter().find(|(field, _)| *field == name);
    beside.map(|(_, prefix)| format!("{prefix}-{}", identity.hex(name, 17)))
}

fn port(given: &Value) -> u16 {
    match given["engine"].as_str() {
        Some("mysql" | "mariadb" | "aurora-mysql") => 3306,
        Some("sqlserver-ex" | "sqlserver-se" | "sqlserver-ee") => 1433,
        _ => 5432,
    }
}

/// Whether a value may stand in a field: everything below is checked too.
fn fits(value: &Value, schema: &Schema) -> bool {
    let known = |value: &Value| match (value, &schema.additional) {
        (Value::Object(map), Some(Additional::Schema(inner))) => {
            map.values().all(|one| fits(one, inner))
        }
        _ => true,
    };
    purlin_schema::validate_part(value, None, schema, "v").is_empty() && known(value)
}

/// The keys and values of a connection secret, as strings.
pub(crate) fn connection(status: &Value, object: &Value, identity: &Identity) -> Value {
    let mut out = Map::new();
    let given = object.pointer("/spec/forProvider").unwrap_or(&Value::Null);
    let user = given["username"].as_str();
    for field in ["endpoint", "address", "arn"] {
        if let Some(text) = status[field].as_str() {
            out.insert(field.to_owned(), text.into());
        }
    }
    if out.contains_key("endpoint") || user.is_some() {
        let host = status["address"].as_str().map(str::to_owned);
        out.insert("username".to_owned(), user.unwrap_or("admin").into());
        out.insert("password".to_owned(), identity.hex("password", 24).into());
        out.insert(
            "port".to_owned(),
            status["port"]
                .as_u64()
                .unwrap_or_else(|| port(given).into())
                .to_string()
                .into(),
        );
        if let Some(host) = host {
            out.insert("host".to_owned(), host.into());
        }
    }
    if out.is_empty() {
        return json!({"id": identity.external_name});
    }
    Value::Object(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use purlin_api::meta::Gvk;

    #[test]
    fn the_status_is_typed_by_the_schema() {
        let schema = Schema::parse(&json!({"type": "object", "properties": {
            "id": {"type": "string"}, "arn": {"type": "string"}, "endpoint": {"type": "string"}, "port": {"type": "number"}, "engine": {"type": "string"},
            "allocatedStorage": {"type": "string"}, "tagsAll": {"type": "object", "additionalProperties": {"type": "string"}}, "odd": {"type": "string"}, "count": {"type": "integer"}}}))
        .unwrap();
        let object = json!({"metadata": {"name": "db", "uid": "u"}, "spec": {"forProvider": {"engine": "mysql", "allocatedStorage": 20, "tags": {"a": "b"}, "password": "x"}}});
        let identity = Identity::of(
            &object,
            &Gvk::new("rds.aws.upbound.io/v1beta1", "Instance"),
            "1",
        );
        let status = at_provider(&schema, &object, &identity);
        assert_eq!(status["id"], "db");
        assert_eq!(status["engine"], "mysql");
        assert_eq!(status["port"], 3306);
        assert_eq!(status["tagsAll"], json!({"a": "b"}));
        assert!(
            status["endpoint"]
                .as_str()
                .unwrap()
                .ends_with(".example.com:3306")
        );
        assert!(
            status.get("allocatedStorage").is_none(),
            "a number does not fit a string"
        );
        assert!(status.get("odd").is_none() && status.get("count").is_none());
        let secret = connection(&status, &object, &identity);
        assert_eq!(secret["username"], "admin");
        assert_eq!(secret["port"], "3306");
    }
}
