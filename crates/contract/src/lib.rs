//! The API as data: every operation with its types, guard, effect and audit action. No I/O.
//!
//! From [`operations`] come the routes, the OpenAPI document, the portal's TypeScript client, the CLI's calls, the permission table
//! and the proof matrix. A route that is not declared here cannot exist; a declaration without a handler stops the server at start.

pub mod audit;
pub mod catalogue;
pub mod connections;
pub mod evidence;
pub mod findings;
pub mod fixes;
pub mod identity;
pub mod notifications;
pub mod openapi;
pub mod operation;
pub mod permission;
pub mod scans;
pub mod tenancy;

pub use operation::{
    AnswerKind, BodyKind, Effect, Empty, EventStream, Guard, Method, Nothing, Operation, OperationSpec, RateClass, StreamBody,
};
pub use permission::{Grantee, Permission, Role};

/// Every operation, in the order of the reference.
pub fn operations() -> Vec<&'static OperationSpec> {
    [
        tenancy::OPERATIONS,
        identity::OPERATIONS,
        evidence::OPERATIONS,
        findings::OPERATIONS,
        connections::OPERATIONS,
        scans::OPERATIONS,
        catalogue::OPERATIONS,
        fixes::OPERATIONS,
        notifications::OPERATIONS,
        audit::OPERATIONS,
    ]
    .concat()
}

/// A route outside the operations that answers without a credential, with the reason it may.
#[derive(Debug, Clone, Copy)]
pub struct OpenRoute {
    pub method: Method,
    pub path: &'static str,
    pub reason: &'static str,
}

/// The whole list of unauthenticated routes beside operations guarded by [`Guard::Open`]. Golden: a test compares it with the router.
pub const OPEN_ROUTES: &[OpenRoute] = &[
    OpenRoute { method: Method::Get, path: "/healthz", reason: "the process is up: asked by load balancers, which hold no credential" },
    OpenRoute { method: Method::Get, path: "/readyz", reason: "the process can answer: asked by load balancers, which hold no credential" },
    OpenRoute { method: Method::Get, path: "/api/openapi.json", reason: "the API's description is public and holds no data" },
    OpenRoute { method: Method::Get, path: "/.well-known/security.txt", reason: "RFC 9116: finders of flaws must be able to read it" },
    OpenRoute {
        method: Method::Get,
        path: "/api/v1/unsubscribe",
        reason: "mail programs that know no one-click open this address: sends people on to the portal's page and looks at nothing",
    },
    OpenRoute { method: Method::Get, path: "/{*path}", reason: "the portal's shell: static files without data" },
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_and_routes_are_unique() {
        let (mut ids, mut routes) = (HashSet::new(), HashSet::new());
        for op in operations() {
            assert!(ids.insert(op.id), "{} is declared twice", op.id);
            assert!(routes.insert((op.method, op.path)), "{} repeats a route", op.id);
        }
    }

    /// I15: the tenant comes from the credential, so no path, query or body may carry one.
    #[test]
    fn no_operation_takes_a_tenant() {
        for op in operations() {
            assert!(!op.path.contains("tenant}"), "{} has a tenant in its path", op.id);
            for schema in [op.path_schema, op.query_schema].into_iter().chain(op.body.schema()) {
                let text =
                    serde_json::to_string(&schema(&mut schemars::generate::SchemaSettings::draft2020_12().into_generator())).unwrap();
                assert!(!text.contains("tenant_id"), "{} takes a tenant", op.id);
            }
        }
    }

    /// I41: a write or a disclosure names its audit action; a read has none to name.
    #[test]
    fn every_write_names_its_audit_action() {
        for op in operations() {
            assert_eq!(op.audit.is_some(), op.effect != Effect::Read, "{}", op.id);
        }
    }

    #[test]
    fn the_example_of_each_operation_fits_its_answer() {
        for op in operations() {
            (op.check_example)().unwrap_or_else(|e| panic!("{}: {e}", op.id));
        }
    }
}
