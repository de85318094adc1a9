-- The tenant, who may speak for it, its keys, its trail and its jobs.

-- The tenant and, for a project key, the project of the present transaction. One STABLE function, because a distributed
-- PostgreSQL refuses sub-selects in policies. No tenant set: NULL, which equals no row.
CREATE FUNCTION tenant() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT nullif(current_setting('bailiwick.tenant', true), '')::uuid $$;

CREATE FUNCTION project() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT nullif(current_setting('bailiwick.project', true), '')::uuid $$;

-- Puts a tenant table under row security: forced, so that not even its owner sees past it. A table with a project_id is closed to
-- keys of other projects as well, whatever the permissive policies say.
CREATE PROCEDURE protect(target regclass) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
    EXECUTE format('CREATE POLICY tenant ON %s TO bailiwick_app USING (tenant_id = tenant()) WITH CHECK (tenant_id = tenant())', target);
    IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = target AND attname = 'project_id' AND NOT attisdropped) THEN
        -- CASE, because of `project() IS NULL OR ...` the planner supposes that one row in two hundred passes, and then sorts all
        -- findings of a tenant where an index gives the first hundred.
        EXECUTE format('CREATE POLICY project ON %s AS RESTRICTIVE TO bailiwick_app '
                       'USING (CASE WHEN project() IS NULL THEN true ELSE project_id = project() END) '
                       'WITH CHECK (CASE WHEN project() IS NULL THEN true ELSE project_id = project() END)', target);
    END IF;
END
$$;

-- Closes a table without a project_id to project keys, for one command or ALL.
CREATE PROCEDURE close_to_projects(target regclass, command text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE POLICY project ON %s AS RESTRICTIVE FOR %s TO bailiwick_app USING (project() IS NULL)', target, command);
END
$$;

CREATE TABLE tenants (
    id uuid PRIMARY KEY,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    sign_in_directory uuid NOT NULL CONSTRAINT tenants_sign_in_directory UNIQUE,
    sign_in_client_id text NOT NULL,
    sign_in_audiences text[] NOT NULL,
    unknown_directory text NOT NULL DEFAULT 'refuse' CHECK (unknown_directory IN ('refuse', 'add')),
    created_at timestamptz NOT NULL
);
ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON tenants TO bailiwick_app USING (id = tenant()) WITH CHECK (id = tenant());
CREATE POLICY system ON tenants TO bailiwick_system USING (true) WITH CHECK (true);
GRANT SELECT, UPDATE (name, unknown_directory) ON tenants TO bailiwick_app;
GRANT SELECT, INSERT, UPDATE (sign_in_client_id, sign_in_audiences) ON tenants TO bailiwick_system;

CREATE TABLE tenant_keys (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    version integer NOT NULL,
    wrapped bytea NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, version)
);
CALL protect('tenant_keys');
GRANT SELECT, INSERT, UPDATE (wrapped) ON tenant_keys TO bailiwick_app;

CREATE TABLE secrets (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    key_version integer NOT NULL,
    sealed bytea NOT NULL,
    set_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, name),
    FOREIGN KEY (tenant_id, key_version) REFERENCES tenant_keys (tenant_id, version)
);
CALL protect('secrets');
CALL close_to_projects('secrets', 'ALL');
GRANT SELECT, INSERT, UPDATE, DELETE ON secrets TO bailiwick_app;

CREATE TABLE projects (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    id uuid NOT NULL,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT projects_name UNIQUE (tenant_id, name)
);
CALL protect('projects');
CREATE POLICY project ON projects AS RESTRICTIVE TO bailiwick_app USING (project() IS NULL OR id = project()) WITH CHECK (project() IS NULL);
GRANT SELECT, INSERT ON projects TO bailiwick_app;

CREATE TABLE members (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    id uuid NOT NULL,
    directory_id uuid NOT NULL,
    object_id uuid NOT NULL,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    email text NOT NULL CHECK (length(email) <= 320),
    role text NOT NULL CHECK (role IN ('owner', 'admin', 'member', 'auditor')),
    added_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT members_person UNIQUE (tenant_id, directory_id, object_id)
);
CALL protect('members');
CALL close_to_projects('members', 'ALL');
GRANT SELECT, INSERT, UPDATE (role), DELETE ON members TO bailiwick_app;

CREATE TABLE api_keys (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    id uuid NOT NULL,
    project_id uuid,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    hint text NOT NULL,
    sha256 bytea NOT NULL CHECK (length(sha256) = 32),
    created_at timestamptz NOT NULL,
    created_by jsonb NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    last_used_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT api_keys_sha256 UNIQUE (tenant_id, sha256),
    CONSTRAINT api_keys_project FOREIGN KEY (tenant_id, project_id) REFERENCES projects (tenant_id, id)
);
CALL protect('api_keys');
GRANT SELECT, INSERT, UPDATE (revoked_at, last_used_at) ON api_keys TO bailiwick_app;

-- A hash chain per tenant: hash = SHA-256(hash before || seq as 8 bytes, big-endian || body in UTF-8).
CREATE TABLE trail_heads (
    tenant_id uuid PRIMARY KEY REFERENCES tenants (id),
    seq bigint NOT NULL,
    hash bytea NOT NULL
);
CALL protect('trail_heads');
GRANT SELECT, INSERT, UPDATE ON trail_heads TO bailiwick_app;

CREATE TABLE trail_entries (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    seq bigint NOT NULL,
    at timestamptz NOT NULL,
    action text NOT NULL,
    refused boolean NOT NULL,
    body text NOT NULL,
    hash bytea NOT NULL,
    PRIMARY KEY (tenant_id, seq)
);
CALL protect('trail_entries');
-- A project key's own deeds are written, and not its to read.
CALL close_to_projects('trail_entries', 'SELECT');
-- Written once: no role may change or delete an entry.
GRANT SELECT, INSERT ON trail_entries TO bailiwick_app;

CREATE TABLE jobs (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    id uuid NOT NULL,
    kind text NOT NULL,
    payload jsonb NOT NULL,
    on_behalf jsonb NOT NULL,
    -- At most one job of a key runs at a time; absent: any number.
    concurrency_key text,
    -- At most one waiting job of a key exists; absent: any number.
    dedup_key text,
    state text NOT NULL CHECK (state IN ('queued', 'running', 'dead')),
    run_at timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    worker uuid,
    lease_until timestamptz,
    last_error text,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT jobs_dedup UNIQUE (tenant_id, dedup_key)
);
CALL protect('jobs');
CREATE POLICY system ON jobs TO bailiwick_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON jobs TO bailiwick_app;
GRANT SELECT, INSERT, UPDATE ON jobs TO bailiwick_system;
CREATE INDEX jobs_due ON jobs (run_at) WHERE state = 'queued';
CREATE INDEX jobs_concurrency ON jobs (tenant_id, concurrency_key, created_at, id) WHERE concurrency_key IS NOT NULL;
CREATE INDEX jobs_leases ON jobs (lease_until) WHERE state = 'running';

CREATE TABLE job_schedules (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    kind text NOT NULL,
    -- Five-field cron expression, UTC.
    cron text NOT NULL,
    next_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, kind)
);
CALL protect('job_schedules');
CALL close_to_projects('job_schedules', 'ALL');
GRANT SELECT ON job_schedules TO bailiwick_app;
CREATE POLICY system ON job_schedules TO bailiwick_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON job_schedules TO bailiwick_system;
CREATE INDEX job_schedules_due ON job_schedules (next_at);

-- Admission: who calls is checked inside the transaction that does the work, so nothing can change in between. Each raises
-- BW401 (no valid caller) or BW403 (valid, but not allowed).
CREATE FUNCTION admit_member(directory uuid, object uuid, roles text[]) RETURNS void LANGUAGE plpgsql STABLE AS $$
DECLARE
    found text;
BEGIN
    SELECT m.role INTO found FROM members m JOIN tenants t ON t.id = m.tenant_id
        WHERE m.tenant_id = tenant() AND m.directory_id = directory AND m.object_id = object AND t.sign_in_directory = directory;
    IF found IS NULL THEN
        RAISE EXCEPTION 'not a member' USING ERRCODE = 'BW401';
    ELSIF NOT found = ANY (roles) THEN
        RAISE EXCEPTION 'role % does not allow this', found USING ERRCODE = 'BW403';
    END IF;
END
$$;

CREATE FUNCTION admit_key(hash bytea, at timestamptz, allowed boolean) RETURNS void LANGUAGE plpgsql STABLE AS $$
BEGIN
    PERFORM FROM api_keys k WHERE k.tenant_id = tenant() AND k.sha256 = hash AND k.revoked_at IS NULL AND k.expires_at > at
        AND k.project_id IS NOT DISTINCT FROM project();
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such key' USING ERRCODE = 'BW401';
    ELSIF NOT allowed THEN
        RAISE EXCEPTION 'keys do not allow this' USING ERRCODE = 'BW403';
    END IF;
END
$$;

CREATE FUNCTION admit_workload(directory uuid, allowed boolean) RETURNS void LANGUAGE plpgsql STABLE AS $$
BEGIN
    PERFORM FROM tenants t WHERE t.id = tenant() AND t.sign_in_directory = directory;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'directory does not sign in here' USING ERRCODE = 'BW401';
    ELSIF NOT allowed THEN
        RAISE EXCEPTION 'workloads do not allow this' USING ERRCODE = 'BW403';
    END IF;
END
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA bailiwick FROM PUBLIC;
REVOKE ALL ON ALL PROCEDURES IN SCHEMA bailiwick FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tenant(), project(), admit_member(uuid, uuid, text[]), admit_key(bytea, timestamptz, boolean),
    admit_workload(uuid, boolean) TO bailiwick_app;
