//! The sweep over the database's own catalogue: what must hold for every table, whoever adds it. Exceptions stand below, each with its
//! reason; one that no longer applies fails as well.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use bailiwick_store::private_postgres::{PrivateConfig, PrivatePostgres};
use sqlx::{Connection, PgConnection, Row};
use std::collections::{BTreeMap, BTreeSet};

/// Tables that have no `tenant_id`.
const WITHOUT_TENANT: &[(&str, &str)] = &[
    ("tenants", "the list of tenants itself: its id is the tenant, and its policy says so"),
    ("_sqlx_migrations", "which migrations ran: read and written by the owner role alone, no other role may touch it"),
];

/// Policies that are not one of the two that `protect` makes.
const OTHER_POLICIES: &[(&str, &str, &str)] = &[
    ("tenants", "tenant", "by `id`, as the table has no tenant_id"),
    (
        "tenants",
        "system",
        "which tenant a directory signs in to is not known before it is looked up; the console lists and creates tenants",
    ),
    ("jobs", "system", "the worker takes due jobs of all tenants, and then works each in its tenant's scope"),
    ("job_schedules", "system", "due schedules of all tenants become jobs"),
    ("connections", "system", "which tenant a directory's consent was given for is told by who else connects it"),
    ("consents", "system", "and by who else waits for one"),
    ("projects", "project", "by `id`, as the table is the projects' own"),
    ("members", "project", "closed to project keys: people are the tenant's"),
    ("secrets", "project", "closed to project keys: secrets are the tenant's"),
    ("job_schedules", "project", "closed to project keys: schedules are the tenant's"),
    ("connections", "project", "closed to project keys: connections are the tenant's"),
    ("consents", "project", "closed to project keys: consents are the tenant's"),
    ("scan_schedules", "project", "closed to project keys: schedules are the tenant's"),
    ("scans", "project", "closed to project keys: scans are the tenant's"),
    ("scan_progress", "project", "closed to project keys: scans are the tenant's"),
    ("scan_checkpoints", "project", "closed to project keys: scans are the tenant's"),
    ("scan_settings", "project", "closed to project keys: settings are the tenant's"),
    ("scan_packs", "project", "closed to project keys: checks are the tenant's"),
    ("fix_settings", "project", "closed to project keys: decisions about a directory are the tenant's"),
    ("fix_plans", "project", "closed to project keys: fixes are the tenant's"),
    ("fixes", "project", "closed to project keys: fixes are the tenant's"),
    ("fix_approvals", "project", "closed to project keys: fixes are the tenant's"),
    ("containments", "project", "closed to project keys: people are the tenant's"),
    ("containment_acts", "project", "closed to project keys: people are the tenant's"),
    ("write_steps", "project", "closed to project keys: fixes are the tenant's"),
    ("channels", "project", "closed to project keys: who is told is the tenant's to decide"),
    ("channel_health", "project", "closed to project keys: channels are the tenant's"),
    ("notification_rules", "project", "closed to project keys: rules are the tenant's"),
    ("digest_entries", "project", "closed to project keys: rules are the tenant's"),
    ("deliveries", "project", "closed to project keys: what is sent is the tenant's"),
    ("delivery_tries", "project", "closed to project keys: what is sent is the tenant's"),
    ("mail_preferences", "project", "closed to project keys: people are the tenant's"),
    ("trail_entries", "project", "a project key's deeds are written, and the trail is not its to read"),
];

/// Unique keys that do not start with `tenant_id`.
const OTHER_UNIQUE: &[(&str, &str, &str)] = &[
    ("tenants", "tenants_pkey", "its id is the tenant"),
    ("tenants", "tenants_sign_in_directory", "a directory signs in to one tenant: that is what the key is for"),
];

/// Foreign keys of one column.
const TO_TENANTS: &str = "FOREIGN KEY (tenant_id) REFERENCES";

struct Catalogue {
    sql: PgConnection,
    _server: PrivatePostgres,
    _folder: tempfile::TempDir,
}

impl Catalogue {
    async fn new() -> Self {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let mut config = PrivateConfig::throwaway(folder.path().join("postgres"));
        config.programs = std::env::var_os("BAILIWICK_TEST_PROGRAMS").map(Into::into);
        let server = PrivatePostgres::start(config).await.unwrap();
        bailiwick_store::migrate(server.superuser_options()).await.unwrap();
        let sql = PgConnection::connect_with(&server.superuser_options()).await.unwrap();
        Self { sql, _server: server, _folder: folder }
    }

    /// The statement's rows, their columns as text.
    async fn rows(&mut self, statement: &'static str) -> Vec<Vec<String>> {
        let rows = sqlx::query(statement).fetch_all(&mut self.sql).await.unwrap();
        rows.iter().map(|row| (0..row.len()).map(|i| row.get::<Option<String>, _>(i).unwrap_or_default()).collect()).collect()
    }

    async fn tables(&mut self) -> BTreeSet<String> {
        let rows =
            self.rows("SELECT relname::text FROM pg_class WHERE relnamespace = 'bailiwick'::regnamespace AND relkind IN ('r', 'p')").await;
        rows.into_iter().map(|mut row| row.remove(0)).collect()
    }

    async fn tenant_tables(&mut self) -> BTreeSet<String> {
        let without: Vec<&str> = WITHOUT_TENANT.iter().map(|(table, _)| *table).collect();
        self.tables().await.into_iter().filter(|table| !without.contains(&table.as_str())).collect()
    }
}

/// Only this schema is the product's, and every table in it is a tenant's or on the list.
#[tokio::test]
async fn i17_every_table_belongs_to_tenants_or_is_listed_with_a_reason() {
    let mut catalogue = Catalogue::new().await;
    let with: BTreeSet<String> = catalogue
        .rows(
            "SELECT c.relname::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND a.attnotnull
               WHERE c.relnamespace = 'bailiwick'::regnamespace AND c.relkind IN ('r', 'p') AND a.atttypid = 'uuid'::regtype",
        )
        .await
        .into_iter()
        .map(|mut row| row.remove(0))
        .collect();
    let tables = catalogue.tables().await;
    assert!(with.len() > 15, "the sweep sees only {} tables", with.len());
    let without: BTreeSet<String> = tables.difference(&with).cloned().collect();
    let listed: BTreeSet<String> = WITHOUT_TENANT.iter().map(|(table, _)| (*table).to_owned()).collect();
    assert_eq!(without, listed, "tables without a tenant_id that is a uuid and never null");
    let elsewhere = catalogue
        .rows("SELECT n.nspname::text, c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND n.nspname NOT IN ('bailiwick', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%'")
        .await;
    assert_eq!(elsewhere, Vec::<Vec<String>>::new(), "relations outside the product's schema");
}

#[tokio::test]
async fn i17_row_security_is_forced_on_every_tenant_table() {
    let mut catalogue = Catalogue::new().await;
    let open = catalogue
        .rows(
            "SELECT relname::text FROM pg_class WHERE relnamespace = 'bailiwick'::regnamespace AND relkind IN ('r', 'p')
               AND NOT (relrowsecurity AND relforcerowsecurity) AND relname <> '_sqlx_migrations'",
        )
        .await;
    assert_eq!(open, Vec::<Vec<String>>::new(), "tables whose row security is not forced");
}

/// The tenant's policy is on every table and says nothing but the tenant; the only others are listed.
#[tokio::test]
async fn i17_every_tenant_table_has_the_tenants_policy_and_no_unlisted_one() {
    let mut catalogue = Catalogue::new().await;
    let mut policies: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for row in catalogue
        .rows("SELECT tablename::text, policyname::text, permissive, array_to_string(roles, ','), cmd, coalesce(qual, ''), coalesce(with_check, '')
               FROM pg_policies WHERE schemaname = 'bailiwick'")
        .await
    {
        let line = |text: &String| text.split_whitespace().collect::<Vec<_>>().join(" ");
        policies.insert((row[0].clone(), row[1].clone()), row[2..].iter().map(line).collect());
    }
    let tenant = ["PERMISSIVE", "bailiwick_app", "ALL", "(tenant_id = bailiwick.tenant())", "(tenant_id = bailiwick.tenant())"];
    let project = "CASE WHEN (bailiwick.project() IS NULL) THEN true ELSE (project_id = bailiwick.project()) END";
    let with_project: BTreeSet<String> = catalogue
        .rows("SELECT c.relname::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'project_id' WHERE c.relnamespace = 'bailiwick'::regnamespace AND c.relkind IN ('r', 'p')")
        .await
        .into_iter()
        .map(|mut row| row.remove(0))
        .collect();
    for table in catalogue.tenant_tables().await {
        assert_eq!(policies.remove(&(table.clone(), "tenant".into())).unwrap_or_default(), tenant, "the tenant policy of {table}");
        if with_project.contains(&table) {
            let wanted = ["RESTRICTIVE", "bailiwick_app", "ALL", project, project];
            assert_eq!(policies.remove(&(table.clone(), "project".into())).unwrap_or_default(), wanted, "the project policy of {table}");
        }
    }
    for ((table, policy), definition) in &policies {
        // Whatever is beside the tenant's policy either narrows it, or is the system role's own.
        let narrows = definition[0] == "RESTRICTIVE" && definition[3].contains("bailiwick.project() IS NULL");
        let by_id = table == "tenants" && definition[3] == "(id = bailiwick.tenant())";
        assert!(narrows || by_id || definition[1] == "bailiwick_system", "{policy} of {table}: {definition:?}");
    }
    let rest: BTreeSet<(String, String)> = policies.into_keys().collect();
    let listed: BTreeSet<(String, String)> = OTHER_POLICIES.iter().map(|(table, policy, _)| ((*table).into(), (*policy).into())).collect();
    assert_eq!(rest, listed, "policies beside the tenant's and the project's");
}

/// A key that does not start with the tenant would tell one tenant of another's values by its violation.
#[tokio::test]
async fn i17_every_unique_key_starts_with_the_tenant() {
    let mut catalogue = Catalogue::new().await;
    let rows = catalogue
        .rows("SELECT t.relname::text, i.relname::text, a.attname::text FROM pg_index x JOIN pg_class t ON t.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
               LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = x.indkey[0]
               WHERE t.relnamespace = 'bailiwick'::regnamespace AND x.indisunique AND t.relname <> '_sqlx_migrations' AND a.attname IS DISTINCT FROM 'tenant_id'")
        .await;
    let found: BTreeSet<(String, String)> = rows.into_iter().map(|row| (row[0].clone(), row[1].clone())).collect();
    let listed: BTreeSet<(String, String)> = OTHER_UNIQUE.iter().map(|(table, key, _)| ((*table).into(), (*key).into())).collect();
    assert_eq!(found, listed);
    let without = catalogue
        .rows(
            "SELECT c.relname::text FROM pg_class c WHERE c.relnamespace = 'bailiwick'::regnamespace AND c.relkind IN ('r', 'p')
               AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'p')",
        )
        .await;
    assert_eq!(without, Vec::<Vec<String>>::new(), "tables without a primary key");
}

/// Foreign keys are checked past row security, so each must carry the tenant on both sides.
#[tokio::test]
async fn i17_every_foreign_key_carries_the_tenant() {
    let mut catalogue = Catalogue::new().await;
    let rows = catalogue
        .rows("SELECT conrelid::regclass::text, pg_get_constraintdef(oid), (SELECT relname::text FROM pg_class WHERE oid = confrelid),
                      (SELECT string_agg(a.attname, ',' ORDER BY k.n) FROM unnest(conkey) WITH ORDINALITY k (attnum, n) JOIN pg_attribute a ON a.attrelid = conrelid AND a.attnum = k.attnum),
                      (SELECT string_agg(a.attname, ',' ORDER BY k.n) FROM unnest(confkey) WITH ORDINALITY k (attnum, n) JOIN pg_attribute a ON a.attrelid = confrelid AND a.attnum = k.attnum)
               FROM pg_constraint WHERE contype = 'f' AND connamespace = 'bailiwick'::regnamespace")
        .await;
    assert!(rows.len() > 20, "the sweep sees only {} foreign keys", rows.len());
    let mut to_tenants = BTreeSet::new();
    for row in rows {
        let (table, definition, target, from, to) = (&row[0], &row[1], &row[2], &row[3], &row[4]);
        if target == "tenants" {
            assert!(definition.starts_with(TO_TENANTS) && to == "id", "{table}: {definition}");
            to_tenants.insert(table.trim_start_matches("bailiwick.").to_owned());
        } else {
            assert!(from.starts_with("tenant_id,") && to.starts_with("tenant_id,"), "{table}: {definition}");
        }
    }
    assert_eq!(to_tenants, catalogue.tenant_tables().await, "tables whose tenant_id refers to no tenant");
}

/// The login role and PUBLIC hold nothing, so a statement outside a scope is refused; nobody passes row security; nobody but the
/// administrator owns or grants.
#[tokio::test]
async fn i16_no_grant_leads_past_the_scopes() {
    let mut catalogue = Catalogue::new().await;
    let grants = catalogue
        .rows("SELECT c.relname::text, coalesce(r.rolname, 'PUBLIC')::text, a.privilege_type::text FROM pg_class c, aclexplode(c.relacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
               WHERE c.relnamespace = 'bailiwick'::regnamespace AND coalesce(r.rolname, 'PUBLIC') NOT IN ('bailiwick_app', 'bailiwick_system', 'bailiwick_owner')
               UNION ALL
               SELECT p.proname::text, coalesce(r.rolname, 'PUBLIC')::text, a.privilege_type::text FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a LEFT JOIN pg_roles r ON r.oid = a.grantee
               WHERE p.pronamespace = 'bailiwick'::regnamespace AND coalesce(r.rolname, 'PUBLIC') NOT IN ('bailiwick_app', 'bailiwick_owner')
               UNION ALL
               SELECT n.nspname::text, coalesce(r.rolname, 'PUBLIC')::text, a.privilege_type::text FROM pg_namespace n, aclexplode(n.nspacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
               WHERE n.nspname = 'bailiwick' AND coalesce(r.rolname, 'PUBLIC') NOT IN ('bailiwick_app', 'bailiwick_system', 'bailiwick_owner')")
        .await;
    assert_eq!(grants, Vec::<Vec<String>>::new(), "grants to others than the entered roles");
    let roles = catalogue
        .rows("SELECT rolname::text, concat_ws(' ', CASE WHEN rolsuper THEN 'super' END, CASE WHEN rolbypassrls THEN 'bypassrls' END, CASE WHEN rolinherit THEN 'inherit' END,
                      CASE WHEN rolcreaterole THEN 'createrole' END, CASE WHEN rolcreatedb THEN 'createdb' END, CASE WHEN rolcanlogin THEN 'login' END)
               FROM pg_roles WHERE rolname LIKE 'bailiwick\\_%' AND rolname <> current_user ORDER BY 1")
        .await;
    let wanted = [["bailiwick_app", ""], ["bailiwick_login", "login"], ["bailiwick_owner", ""], ["bailiwick_system", ""]];
    assert_eq!(roles, wanted);
    let definers = catalogue.rows("SELECT proname::text FROM pg_proc WHERE pronamespace = 'bailiwick'::regnamespace AND prosecdef").await;
    assert_eq!(definers, Vec::<Vec<String>>::new(), "functions that run as their owner");
    let views = catalogue
        .rows("SELECT relname::text FROM pg_class WHERE relnamespace = 'bailiwick'::regnamespace AND (relkind = 'm' OR (relkind = 'v' AND NOT coalesce(reloptions @> '{security_invoker=true}', false)))")
        .await;
    assert_eq!(views, Vec::<Vec<String>>::new(), "views that do not ask as their caller");
}

/// An entry of the trail is written once: no role of the product may change or remove it, nor empty a table.
#[tokio::test]
async fn i41_no_role_may_change_or_remove_an_entry_of_the_trail() {
    let mut catalogue = Catalogue::new().await;
    let may = catalogue
        .rows("SELECT r.rolname::text, p FROM pg_roles r, unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE']) p
               WHERE r.rolname IN ('bailiwick_app', 'bailiwick_system', 'bailiwick_login')
                 AND (has_table_privilege(r.rolname, 'bailiwick.trail_entries', p) OR has_any_column_privilege(r.rolname, 'bailiwick.trail_entries', CASE p WHEN 'UPDATE' THEN p ELSE 'REFERENCES' END))")
        .await;
    assert_eq!(may, Vec::<Vec<String>>::new());
    let truncate = catalogue
        .rows("SELECT c.relname::text, r.rolname::text FROM pg_class c, pg_roles r WHERE c.relnamespace = 'bailiwick'::regnamespace AND c.relkind IN ('r', 'p')
               AND r.rolname IN ('bailiwick_app', 'bailiwick_system', 'bailiwick_login') AND has_table_privilege(r.rolname, c.oid, 'TRUNCATE')")
        .await;
    assert_eq!(truncate, Vec::<Vec<String>>::new(), "row security does not hold against TRUNCATE");
}

/// What the system role may do is listed to the word: the queue, the list of tenants, and which directories they connect.
#[tokio::test]
async fn i16_the_system_role_reaches_the_queue_the_list_of_tenants_and_what_they_connect_and_nothing_else() {
    let mut catalogue = Catalogue::new().await;
    let grants = catalogue
        .rows("SELECT c.relname::text, string_agg(a.privilege_type, ' ' ORDER BY a.privilege_type) FROM pg_class c, aclexplode(c.relacl) a JOIN pg_roles r ON r.oid = a.grantee
               WHERE c.relnamespace = 'bailiwick'::regnamespace AND r.rolname = 'bailiwick_system' GROUP BY 1 ORDER BY 1")
        .await;
    let wanted = [["job_schedules", "INSERT SELECT UPDATE"], ["jobs", "INSERT SELECT UPDATE"], ["tenants", "INSERT SELECT"]];
    assert_eq!(grants, wanted);
    let columns = catalogue
        .rows(
            "SELECT c.relname::text, string_agg(a.attname || ' ' || x.privilege_type, ', ' ORDER BY a.attname, x.privilege_type)
               FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid, aclexplode(a.attacl) x JOIN pg_roles r ON r.oid = x.grantee
               WHERE c.relnamespace = 'bailiwick'::regnamespace AND r.rolname = 'bailiwick_system' GROUP BY 1 ORDER BY 1",
        )
        .await;
    let wanted = [
        ["connections", "directory_id SELECT, disconnected_at SELECT, kind SELECT, own SELECT, tenant_id SELECT"],
        ["consents", "directory_id SELECT, expires_at SELECT, kind SELECT, tenant_id SELECT"],
        ["tenants", "entitlements UPDATE, sign_in_audiences UPDATE, sign_in_client_id UPDATE"],
    ];
    assert_eq!(columns, wanted);
}
