//! Do the examples of a manual page do what the page says?

use prost::Message as _;
use purlin_function::protojson::{request_from_json, response_to_json};
use purlin_function::{Function, RunFunctionRequest};
use serde_json::{Value as Json, json};

use crate::root;

/// A fenced block: the line it starts at, the word behind `yaml`, and its text.
struct Block<'p> {
    line: usize,
    word: &'p str,
    text: String,
}

/// Runs the examples of `docs/manual/<page>`. They are fenced blocks whose info string is `yaml` and a word:
///
/// - `request`: what the examples behind it are asked, without the input;
/// - `input`: the input of a step;
/// - `response`: what that step answers to that request, as far as it is written down. Members that are not written may
///   be there, members that are null may not; lists have to be complete.
///
/// # Panics
/// When an answer is another one, a block is no YAML, or the page has no example.
pub fn check_manual(page: &str, function: &dyn Function) {
    let path = root().join("docs/manual").join(page);
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    let (mut request, mut input) = (json!({}), Json::Null);
    let mut wrong = Vec::new();
    let mut examples = 0;
    for block in blocks(&text) {
        let value = read(page, &block);
        match block.word {
            "request" => request = value,
            "input" => input = value,
            "response" => {
                examples += 1;
                let mut asked = request.clone();
                asked["input"] = input.clone();
                let answer = ask(function, asked);
                if let Some(difference) = lacks(&answer, &value, "") {
                    wrong.push(format!("{page}:{}: {difference}", block.line));
                }
            }
            other => wrong.push(format!("{page}:{}: no block is `{other}`", block.line)),
        }
    }
    assert!(examples > 0, "{page} has no example with a response");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The blocks marked `yaml` and a word. Others are only shown.
fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut open: Option<Option<Block<'_>>> = None;
    for (number, line) in (1..).zip(text.lines()) {
        open = match (open, line.strip_prefix("```")) {
            (None, None) => None,
            (None, Some(info)) => {
                let word = info.strip_prefix("yaml ").map(str::trim);
                Some(word.map(|word| Block {
                    line: number,
                    word,
                    text: String::new(),
                }))
            }
            (Some(block), Some(_)) => {
                blocks.extend(block);
                None
            }
            (Some(block), None) => Some(block.map(|mut block| {
                block.text.push_str(line);
                block.text.push('\n');
                block
            })),
        };
    }
    blocks
}

fn read(page: &str, block: &Block<'_>) -> Json {
    let (documents, found) = purlin_yaml::load(page, &block.text);
    assert!(
        !found.has_errors(),
        "{page}:{}: not YAML: {found:?}",
        block.line
    );
    let mut documents = documents.into_iter();
    documents.next().map_or(Json::Null, |one| one.value)
}

/// Asks over the wire and back, so that numbers are what they are there.
fn ask(function: &dyn Function, request: Json) -> Json {
    let request = request_from_json(request).expect("an example is a request");
    let request = RunFunctionRequest::decode(request.encode_to_vec().as_slice())
        .expect("what was encoded decodes");
    response_to_json(&function.run(&request))
}

/// What of `expected` is not in `answer`.
fn lacks(answer: &Json, expected: &Json, at: &str) -> Option<String> {
    let child = |key: &str| {
        if at.is_empty() {
            key.to_owned()
        } else {
            format!("{at}.{key}")
        }
    };
    match (answer, expected) {
        (Json::Object(held), Json::Object(wanted)) => wanted.iter().find_map(|(key, wanted)| {
            let held = held.get(key).unwrap_or(&Json::Null);
            lacks(held, wanted, &child(key))
        }),
        // Nothing has none of the members that are not to be there.
        (Json::Null, Json::Object(wanted)) if wanted.values().all(Json::is_null) => None,
        (Json::Array(held), Json::Array(wanted)) if held.len() == wanted.len() => (0..)
            .zip(held.iter().zip(wanted))
            .find_map(|(index, (held, wanted))| lacks(held, wanted, &format!("{at}[{index}]"))),
        (Json::Number(held), Json::Number(wanted)) if held.as_f64() == wanted.as_f64() => None,
        (held, wanted) => (held != wanted)
            .then(|| format!("{at}\n the page says {wanted}\n the function   {held}")),
    }
}
