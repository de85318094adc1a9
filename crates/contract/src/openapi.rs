//! The OpenAPI 3.1 document, made from the operations.

use crate::operation::{AnswerKind, BodyKind, Guard, OperationSpec, SchemaFn};
use crate::operations;
use bailiwick_base::{Code, problem::ProblemBody};
use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

/// The whole document. Deterministic: the same operations give the same bytes.
pub fn document() -> Value {
    let mut generator = SchemaSettings::draft2020_12()
        .with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        })
        .into_generator();
    let mut paths: Map<String, Value> = Map::new();
    for op in operations() {
        let entry = paths.entry(op.path).or_insert_with(|| json!({}));
        entry[op.method.as_str().to_lowercase()] = operation(op, &mut generator);
    }
    let problem = generator.subschema_for::<ProblemBody>();
    let schemas = generator.take_definitions(true);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Bailiwick",
            "version": "1",
            "description": "Security evidence of organisations on the Microsoft cloud: submit it, read what it amounts to, act on it. Every request speaks for one tenant, the one its credential belongs to. Errors are problem+json (RFC 9457) with a stable `code`.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}, {"apiKey": []}],
        "tags": tags(),
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "A Microsoft Entra access token of the tenant's directory for Bailiwick's API."},
                "apiKey": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
            },
            "responses": {"Problem": {
                "description": format!("A refusal or failure. Codes: {}.", Code::ALL.iter().map(|c| c.name()).collect::<Vec<_>>().join(", ")),
                "content": {"application/problem+json": {"schema": problem}},
            }},
            "schemas": schemas,
        },
    })
}

/// The document as it is committed and served: pretty, one newline at the end.
pub fn text() -> String {
    format!("{:#}\n", document())
}

fn tags() -> Vec<Value> {
    let mut seen = Vec::new();
    for op in operations() {
        if !seen.contains(&op.tag()) {
            seen.push(op.tag());
        }
    }
    seen.into_iter().map(|name| json!({"name": name})).collect()
}

fn operation(op: &OperationSpec, generator: &mut SchemaGenerator) -> Value {
    let mut parameters = parameters(op.path_schema, "path", generator);
    parameters.extend(self::parameters(op.query_schema, "query", generator));
    let mut value = json!({
        "operationId": op.id,
        "tags": [op.tag()],
        "summary": op.doc.lines().next().unwrap_or_default().trim(),
        "description": op.doc.lines().map(str::trim).collect::<Vec<_>>().join("\n").trim(),
        "x-effect": format!("{:?}", op.effect).to_lowercase(),
    });
    if !parameters.is_empty() {
        value["parameters"] = Value::Array(parameters);
    }
    match op.guard {
        Guard::Open(reason) => {
            value["security"] = json!([]);
            value["x-open-because"] = json!(reason);
        }
        Guard::AnyCaller => {}
        Guard::Needs(permission) => value["x-permission"] = json!(permission.as_str()),
    }
    if let Some(audit) = op.audit {
        value["x-audit-action"] = json!(audit);
    }
    match op.body {
        BodyKind::None => {}
        BodyKind::Json(schema) => {
            value["requestBody"] = json!({"required": true, "content": {"application/json": {"schema": schema(generator)}}});
        }
        BodyKind::Stream => {
            value["requestBody"] =
                json!({"required": true, "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}});
        }
    }
    let answer = match op.answer {
        AnswerKind::Empty => json!({"description": "Done."}),
        AnswerKind::Json(schema) => json!({
            "description": "Done.",
            "content": {"application/json": {"schema": schema(generator), "example": (op.example)()}},
        }),
        AnswerKind::Events(schema) => json!({
            "description": "Server-sent events (text/event-stream), until there is nothing more to tell.",
            "content": {"text/event-stream": {"schema": schema(generator), "example": (op.example)()}},
        }),
        AnswerKind::Stream => {
            json!({"description": "The bytes.", "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}})
        }
    };
    value["responses"] = json!({ op.status.to_string(): answer, "default": {"$ref": "#/components/responses/Problem"} });
    value
}

fn parameters(schema: SchemaFn, place: &str, generator: &mut SchemaGenerator) -> Vec<Value> {
    let schema = schema(generator).to_value();
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let Some(properties) = schema["properties"].as_object() else { return Vec::new() };
    properties
        .iter()
        .map(|(name, property)| {
            let mut property = property.clone();
            let description = property.as_object_mut().and_then(|p| p.remove("description"));
            if let Some(object) = property.as_object_mut() {
                object.remove("default");
            }
            let mut parameter = json!({
                "name": name, "in": place, "required": place == "path" || required.contains(&name.as_str()), "schema": property,
            });
            if let Some(description) = description {
                parameter["description"] = description;
            }
            parameter
        })
        .collect()
}

impl OperationSpec {
    /// The tag in the document: the first word of the path.
    pub fn tag(&self) -> &'static str {
        self.path.trim_start_matches("/api/v1/").split('/').next().unwrap_or_default()
    }
}

/// The permission table, as the portal and the security model read it: permission, then who holds it.
pub fn permission_table() -> Value {
    let rows: Map<String, Value> = crate::Permission::ALL
        .iter()
        .map(|p| (p.as_str().to_owned(), p.grantees().iter().map(|g| Value::from(g.as_str())).collect()))
        .collect();
    Value::Object(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_in_the_document() {
        let document = document();
        for op in operations() {
            assert_eq!(document["paths"][op.path][op.method.as_str().to_lowercase()]["operationId"], op.id);
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = document();
        let text = document.to_string();
        for part in text.split("#/components/").skip(1) {
            let name = part.split('"').next().unwrap();
            let (section, name) = name.split_once('/').unwrap();
            assert!(document["components"][section].get(name).is_some(), "{section}/{name}");
        }
    }

    #[test]
    fn the_document_is_the_same_each_time() {
        assert_eq!(text(), text());
    }
}
