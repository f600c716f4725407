//! Names a cloud would have given: the same for the same object, whenever it is asked.

use purlin_api::meta;
use purlin_api::meta::{Gvk, names::ANNOTATION_EXTERNAL_NAME};
use serde_json::Value;

/// What the cloud knows an object as.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) external_name: String,
    pub(crate) arn: String,
    pub(crate) region: String,
    pub(crate) account: String,
    pub(crate) service: String,
    pub(crate) seed: u64,
}

/// Kinds whose id the cloud chooses, with how it begins.
static PREFIXES: &[(&str, &str)] = &[
    ("EIP", "eipalloc"),
    ("Instance", "i"),
    ("InternetGateway", "igw"),
    ("LaunchTemplate", "lt"),
    ("NATGateway", "nat"),
    ("NetworkACL", "acl"),
    ("NetworkInterface", "eni"),
    ("Route", "r"),
    ("RouteTable", "rtb"),
    ("RouteTableAssociation", "rtbassoc"),
    ("SecurityGroup", "sg"),
    ("SecurityGroupRule", "sgr"),
    ("Subnet", "subnet"),
    ("TransitGateway", "tgw"),
    ("VPC", "vpc"),
    ("VPCEndpoint", "vpce"),
    ("VPCPeeringConnection", "pcx"),
];

impl Identity {
    pub(crate) fn of(object: &Value, gvk: &Gvk, account: &str) -> Self {
        let seed = seed(object);
        let service = gvk.group.split('.').next().unwrap_or("cloud").to_owned();
        let region = object
            .pointer("/spec/forProvider/region")
            .and_then(Value::as_str);
        let region = region.unwrap_or("eu-west-1").to_owned();
        let external_name = match meta::annotation(object, ANNOTATION_EXTERNAL_NAME) {
            "" => chosen_name(object, gvk, &service, seed),
            given => given.to_owned(),
        };
        let arn = arn(gvk, &service, &region, account, &external_name);
        Self {
            external_name,
            arn,
            region,
            account: account.to_owned(),
            service,
            seed,
        }
    }

    /// A hexadecimal id, another one for every `salt`.
    pub(crate) fn hex(&self, salt: &str, digits: usize) -> String {
        hex(self.seed, salt, digits)
    }
}

fn chosen_name(object: &Value, gvk: &Gvk, service: &str, seed: u64) -> String {
    let prefix = PREFIXES
        .iter()
        .find(|(kind, _)| *kind == gvk.kind)
        .filter(|_| service == "ec2");
    match prefix {
        Some((_, prefix)) => format!("{prefix}-{}", hex(seed, "id", 17)),
        None => meta::name(object).to_owned(),
    }
}

fn arn(gvk: &Gvk, service: &str, region: &str, account: &str, name: &str) -> String {
    match (service, gvk.kind.as_str()) {
        ("s3", _) => format!("arn:aws:s3:::{name}"),
        ("iam", kind) => format!("arn:aws:iam::{account}:{}/{name}", kind.to_lowercase()),
        ("rds", "Instance") => format!("arn:aws:rds:{region}:{account}:db:{name}"),
        ("rds", "SubnetGroup") => format!("arn:aws:rds:{region}:{account}:subgrp:{name}"),
        ("rds", "ParameterGroup") => format!("arn:aws:rds:{region}:{account}:pg:{name}"),
        (service, kind) => {
            let kind = words(kind).join("-");
            format!("arn:aws:{service}:{region}:{account}:{kind}/{name}")
        }
    }
}

/// `RouteTable` as `route` and `table`; `VPC` stays one word.
fn words(kind: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut before_lower = false;
    for c in kind.chars() {
        if c.is_uppercase() && (before_lower || words.is_empty()) {
            words.push(String::new());
        }
        before_lower = c.is_lowercase() || c.is_ascii_digit();
        if let Some(word) = words.last_mut() {
            word.extend(c.to_lowercase());
        }
    }
    words
}

fn seed(object: &Value) -> u64 {
    let identity = match meta::uid(object) {
        "" => format!("{}/{}", meta::namespace(object), meta::name(object)),
        uid => uid.to_owned(),
    };
    fnv(0xcbf2_9ce4_8422_2325, identity.as_bytes())
}

fn hex(seed: u64, salt: &str, digits: usize) -> String {
    let mut text = String::new();
    let mut state = fnv(seed, salt.as_bytes());
    while text.len() < digits {
        let digit = |shift: u32| u32::try_from((state >> shift) & 0xf).unwrap_or(0);
        let digits = (0..16).rev().map(|place| digit(place * 4));
        text.extend(digits.filter_map(|digit| char::from_digit(digit, 16)));
        state = fnv(state, b"more");
    }
    text.truncate(digits);
    text
}

/// FNV-1a: not for secrets, but the same on every machine.
fn fnv(seed: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(seed, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_are_those_a_cloud_would_give_and_stay_the_same() {
        let object = json!({"metadata": {"name": "net-abc", "uid": "u1"}, "spec": {"forProvider": {"region": "eu-central-1"}}});
        let vpc = Identity::of(&object, &Gvk::new("ec2.aws.upbound.io/v1beta1", "VPC"), "1");
        assert!(
            vpc.external_name.starts_with("vpc-") && vpc.external_name.len() == 21,
            "{}",
            vpc.external_name
        );
        assert_eq!(
            vpc.arn,
            format!("arn:aws:ec2:eu-central-1:1:vpc/{}", vpc.external_name)
        );
        let bucket = Identity::of(
            &object,
            &Gvk::new("s3.aws.upbound.io/v1beta1", "Bucket"),
            "1",
        );
        assert_eq!(bucket.arn, "arn:aws:s3:::net-abc");
        let table = Identity::of(
            &object,
            &Gvk::new("ec2.aws.upbound.io/v1beta1", "RouteTable"),
            "1",
        );
        assert!(table.arn.contains(":route-table/rtb-"), "{}", table.arn);
        assert_eq!(
            vpc.hex("x", 40),
            Identity::of(&object, &Gvk::new("ec2.aws.upbound.io/v1beta1", "VPC"), "1").hex("x", 40)
        );
    }
}
