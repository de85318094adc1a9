-- Fixes: proposed changes to directories, their approvals, and every step of carrying them out; and the containing of people at risk.

-- What a tenant has beside the basics; null: what the environment gives to all.
ALTER TABLE tenants ADD COLUMN entitlements text[];
GRANT UPDATE (entitlements) ON tenants TO bailiwick_system;

-- What an owner decided about fixes of a directory. No row: nothing may be planned or carried out.
CREATE TABLE fix_settings (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    directory_id uuid NOT NULL,
    settings jsonb NOT NULL,
    changed_at timestamptz NOT NULL,
    changed_by jsonb NOT NULL,
    PRIMARY KEY (tenant_id, directory_id),
    FOREIGN KEY (tenant_id, directory_id) REFERENCES directories (tenant_id, id)
);
CALL protect('fix_settings');
CALL close_to_projects('fix_settings', 'ALL');
GRANT SELECT, INSERT, UPDATE ON fix_settings TO bailiwick_app;

CREATE TABLE fix_plans (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    id uuid NOT NULL,
    directory_id uuid NOT NULL,
    scan_id uuid,
    left_out jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    created_by jsonb NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, directory_id) REFERENCES directories (tenant_id, id),
    FOREIGN KEY (tenant_id, scan_id) REFERENCES scans (tenant_id, id)
);
CALL protect('fix_plans');
CALL close_to_projects('fix_plans', 'ALL');
-- Written once.
GRANT SELECT, INSERT ON fix_plans TO bailiwick_app;

CREATE TABLE fixes (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    id uuid NOT NULL,
    plan_id uuid NOT NULL,
    directory_id uuid NOT NULL,
    recipe text NOT NULL,
    -- Empty where the recipe is for one thing of the directory.
    object_id text NOT NULL,
    severity smallint NOT NULL,
    -- What is shown (recipe, checks, risk, address), what would be done (the planner's change, whole), and the digest of it all that
    -- approvals bind to. Written once: no grant changes them.
    facts jsonb NOT NULL,
    change jsonb NOT NULL,
    digest text NOT NULL CHECK (digest ~ '^[0-9a-f]{64}$'),
    planned_at timestamptz NOT NULL,
    state text NOT NULL CHECK (state IN ('proposed', 'awaiting_second', 'approved', 'scheduled', 'applying', 'applied', 'stopped', 'failed',
        'rolling_back', 'rolled_back', 'rollback_failed', 'dismissed', 'superseded')),
    approvals_needed smallint NOT NULL CHECK (approvals_needed IN (1, 2)),
    -- Each order to apply or to roll back is a decision of its own, and has a number.
    order_no integer NOT NULL DEFAULT 0,
    ordered_at timestamptz,
    ordered_by jsonb,
    not_before timestamptz,
    -- The id Microsoft gave to what was made.
    made_id text,
    failure jsonb,
    applied_at timestamptz,
    applied_by jsonb,
    rolled_back_at timestamptz,
    rolled_back_by jsonb,
    verified_scan_id uuid,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, plan_id) REFERENCES fix_plans (tenant_id, id),
    FOREIGN KEY (tenant_id, directory_id) REFERENCES directories (tenant_id, id),
    FOREIGN KEY (tenant_id, verified_scan_id) REFERENCES scans (tenant_id, id)
);
CALL protect('fixes');
CALL close_to_projects('fixes', 'ALL');
GRANT SELECT, INSERT, UPDATE (state, approvals_needed, order_no, ordered_at, ordered_by, not_before, made_id, failure, applied_at, applied_by,
    rolled_back_at, rolled_back_by, verified_scan_id) ON fixes TO bailiwick_app;
CREATE INDEX fixes_newest ON fixes (tenant_id, planned_at DESC, id DESC);
CREATE INDEX fixes_plan ON fixes (tenant_id, plan_id);
-- One thing is proposed, or in hand, once.
CREATE UNIQUE INDEX fixes_open ON fixes (tenant_id, directory_id, recipe, object_id)
    WHERE state IN ('proposed', 'awaiting_second', 'approved', 'scheduled', 'applying');

-- One person approves a fix once, and for one digest.
CREATE TABLE fix_approvals (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    fix_id uuid NOT NULL,
    principal text NOT NULL CHECK (length(principal) BETWEEN 1 AND 100),
    digest text NOT NULL,
    approved_at timestamptz NOT NULL,
    approved_by jsonb NOT NULL,
    note text,
    CONSTRAINT fix_approvals_once PRIMARY KEY (tenant_id, fix_id, principal),
    FOREIGN KEY (tenant_id, fix_id) REFERENCES fixes (tenant_id, id)
);
CALL protect('fix_approvals');
CALL close_to_projects('fix_approvals', 'ALL');
GRANT SELECT, INSERT, DELETE ON fix_approvals TO bailiwick_app;

CREATE TABLE containments (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    id uuid NOT NULL,
    directory_id uuid NOT NULL,
    user_id text NOT NULL CHECK (length(user_id) = 36),
    -- As the directory shows the person, once read.
    user_name text,
    principal_name text,
    revoke_sessions boolean NOT NULL,
    disable boolean NOT NULL,
    reason text NOT NULL CHECK (length(reason) BETWEEN 1 AND 1000),
    ordered_at timestamptz NOT NULL,
    ordered_by jsonb NOT NULL,
    released_by jsonb,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, directory_id) REFERENCES directories (tenant_id, id),
    CHECK (revoke_sessions OR disable)
);
CALL protect('containments');
CALL close_to_projects('containments', 'ALL');
GRANT SELECT, INSERT, UPDATE (user_name, principal_name, released_by) ON containments TO bailiwick_app;
CREATE INDEX containments_newest ON containments (tenant_id, ordered_at DESC, id DESC);

-- The writes of a containment; none waits for another.
CREATE TABLE containment_acts (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    containment_id uuid NOT NULL,
    act text NOT NULL CHECK (act IN ('revoke_sessions', 'disable', 'release')),
    state text NOT NULL CHECK (state IN ('waiting', 'done', 'failed')),
    order_no integer NOT NULL,
    ordered_at timestamptz NOT NULL,
    done_at timestamptz,
    -- Whether this act changed the account, so that a release has something to take back.
    changed boolean NOT NULL DEFAULT false,
    failure jsonb,
    PRIMARY KEY (tenant_id, containment_id, act),
    FOREIGN KEY (tenant_id, containment_id) REFERENCES containments (tenant_id, id)
);
CALL protect('containment_acts');
CALL close_to_projects('containment_acts', 'ALL');
GRANT SELECT, INSERT, UPDATE ON containment_acts TO bailiwick_app;

-- Every request that was made to carry something out. A write is noted before it is sent, without an outcome; what it came to follows.
CREATE TABLE write_steps (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    id uuid NOT NULL,
    fix_id uuid,
    containment_id uuid,
    act text,
    -- The place among the steps of the fix or the containment: times may be alike.
    number integer NOT NULL,
    order_no integer NOT NULL,
    purpose text NOT NULL CHECK (purpose IN ('apply', 'roll_back', 'contain', 'release')),
    kind text NOT NULL CHECK (kind IN ('read', 'write', 'reread')),
    method text NOT NULL,
    url text NOT NULL,
    at timestamptz NOT NULL,
    request jsonb,
    -- Of a write: whether it was answered, never left this machine, or brought no answer. Null: not known yet.
    outcome text CHECK (outcome IN ('answered', 'not_sent', 'unknown')),
    settled_at timestamptz,
    status integer,
    response jsonb,
    retry_after integer,
    detail text,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, fix_id) REFERENCES fixes (tenant_id, id),
    FOREIGN KEY (tenant_id, containment_id, act) REFERENCES containment_acts (tenant_id, containment_id, act),
    CHECK ((fix_id IS NULL) <> (containment_id IS NULL)),
    CHECK ((containment_id IS NULL) = (act IS NULL))
);
CALL protect('write_steps');
CALL close_to_projects('write_steps', 'ALL');
GRANT SELECT, INSERT, UPDATE (outcome, settled_at, status, response, retry_after, detail) ON write_steps TO bailiwick_app;
CREATE INDEX write_steps_fix ON write_steps (tenant_id, fix_id, number) WHERE fix_id IS NOT NULL;
CREATE INDEX write_steps_containment ON write_steps (tenant_id, containment_id, number) WHERE containment_id IS NOT NULL;
-- While it is not known what became of a write, nothing is written for the same thing again.
CREATE UNIQUE INDEX write_steps_fix_open ON write_steps (tenant_id, fix_id) WHERE kind = 'write' AND outcome IS NULL AND fix_id IS NOT NULL;
CREATE UNIQUE INDEX write_steps_act_open ON write_steps (tenant_id, containment_id, act)
    WHERE kind = 'write' AND outcome IS NULL AND containment_id IS NOT NULL;
