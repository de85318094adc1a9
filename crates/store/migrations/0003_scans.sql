-- Connections to directories, and the scans that go through them.

-- The consented access to a directory. A disconnected one stays as a record; its secret goes.
CREATE TABLE connections (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    id uuid NOT NULL,
    directory_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('read', 'write')),
    label text NOT NULL CHECK (length(label) BETWEEN 1 AND 200),
    is_primary boolean NOT NULL DEFAULT false,
    client_id text NOT NULL CHECK (length(client_id) BETWEEN 1 AND 100),
    -- The customer's own registration; otherwise the environment's.
    own boolean NOT NULL,
    credential text NOT NULL CHECK (credential IN ('federated', 'certificate', 'secret')),
    credential_expires_at timestamptz,
    -- Whether the last question to Microsoft was answered; null: none was asked yet.
    working boolean,
    failure jsonb,
    granted text[] NOT NULL DEFAULT '{}',
    checked_at timestamptz,
    connected_at timestamptz NOT NULL,
    connected_by jsonb NOT NULL,
    disconnected_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, directory_id) REFERENCES directories (tenant_id, id),
    CHECK (disconnected_at IS NULL OR NOT is_primary)
);
CALL protect('connections');
CALL close_to_projects('connections', 'ALL');
GRANT SELECT, INSERT, UPDATE ON connections TO bailiwick_app;
-- Whether another tenant reads a directory through the environment's application: the columns that say so, and no other.
CREATE POLICY system ON connections FOR SELECT TO bailiwick_system USING (true);
GRANT SELECT (tenant_id, directory_id, kind, own, disconnected_at) ON connections TO bailiwick_system;
CREATE UNIQUE INDEX connections_live ON connections (tenant_id, directory_id, kind) WHERE disconnected_at IS NULL;
CREATE UNIQUE INDEX connections_primary ON connections (tenant_id, kind) WHERE is_primary;
CREATE INDEX connections_newest ON connections (tenant_id, connected_at DESC, id DESC);

-- Consents that have begun. A state is known by its hash, counts once, for one person.
CREATE TABLE consents (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    state_sha256 bytea NOT NULL CHECK (length(state_sha256) = 32),
    kind text NOT NULL CHECK (kind IN ('read', 'write')),
    directory_id uuid NOT NULL,
    label text,
    begun_by jsonb NOT NULL,
    begun_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    -- Whether the application could already ask the directory for a token when this began.
    had_access boolean NOT NULL,
    PRIMARY KEY (tenant_id, state_sha256)
);
CALL protect('consents');
CALL close_to_projects('consents', 'ALL');
GRANT SELECT, INSERT, UPDATE (used_at), DELETE ON consents TO bailiwick_app;
-- Whether another tenant waits for the same consent.
CREATE POLICY system ON consents FOR SELECT TO bailiwick_system USING (true);
GRANT SELECT (tenant_id, directory_id, kind, expires_at) ON consents TO bailiwick_system;

CREATE TABLE scan_schedules (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    id uuid NOT NULL,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    kind text NOT NULL CHECK (kind IN ('compliance', 'exposure')),
    connection_id uuid NOT NULL,
    cron text NOT NULL CHECK (length(cron) BETWEEN 9 AND 100),
    zone text NOT NULL CHECK (length(zone) BETWEEN 1 AND 60),
    enabled boolean NOT NULL,
    next_at timestamptz,
    last_at timestamptz,
    last_scan_id uuid,
    last_problem text,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT scan_schedules_name UNIQUE (tenant_id, name),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES connections (tenant_id, id)
);
CALL protect('scan_schedules');
CALL close_to_projects('scan_schedules', 'ALL');
GRANT SELECT, INSERT, UPDATE, DELETE ON scan_schedules TO bailiwick_app;

CREATE TABLE scans (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    id uuid NOT NULL,
    directory_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('compliance', 'exposure')),
    state text NOT NULL CHECK (state IN ('queued', 'running', 'completed', 'failed', 'cancelled')),
    requested_by jsonb NOT NULL,
    schedule_id uuid,
    queued_at timestamptz NOT NULL,
    started_at timestamptz,
    ended_at timestamptz,
    -- The score as a number of percent, to compare by; the counts it comes from; how the scan ended, where it did not complete.
    score double precision,
    counts jsonb,
    ending jsonb,
    complete boolean,
    catalogue text,
    run_id uuid,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, directory_id) REFERENCES directories (tenant_id, id),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES connections (tenant_id, id),
    FOREIGN KEY (tenant_id, run_id) REFERENCES runs (tenant_id, id)
);
CALL protect('scans');
CALL close_to_projects('scans', 'ALL');
GRANT SELECT, INSERT, UPDATE ON scans TO bailiwick_app;
-- A directory is scanned by one scan at a time.
CREATE UNIQUE INDEX scans_one_at_a_time ON scans (tenant_id, directory_id) WHERE state IN ('queued', 'running');
CREATE INDEX scans_newest ON scans (tenant_id, queued_at DESC, id DESC);

-- How far a scan has come: the working state of its job, kept apart because the trail does not hear of it.
CREATE TABLE scan_progress (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    scan_id uuid NOT NULL,
    progress jsonb NOT NULL,
    attempts integer NOT NULL,
    noted_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, scan_id),
    FOREIGN KEY (tenant_id, scan_id) REFERENCES scans (tenant_id, id) ON DELETE CASCADE
);
CALL protect('scan_progress');
CALL close_to_projects('scan_progress', 'ALL');
GRANT SELECT, INSERT, UPDATE, DELETE ON scan_progress TO bailiwick_app;

-- What a scan has read so far, sealed, so that an interrupted one goes on from there. Gone when the scan ends.
CREATE TABLE scan_checkpoints (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    scan_id uuid NOT NULL,
    -- The request, hashed, and the number of its page.
    request_sha256 bytea NOT NULL CHECK (length(request_sha256) = 32),
    page integer NOT NULL,
    key_version integer NOT NULL,
    sealed bytea NOT NULL,
    PRIMARY KEY (tenant_id, scan_id, request_sha256, page),
    FOREIGN KEY (tenant_id, scan_id) REFERENCES scans (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, key_version) REFERENCES tenant_keys (tenant_id, version)
);
CALL protect('scan_checkpoints');
CALL close_to_projects('scan_checkpoints', 'ALL');
GRANT SELECT, INSERT, DELETE ON scan_checkpoints TO bailiwick_app;

CREATE TABLE scan_settings (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    directory_id uuid NOT NULL,
    settings jsonb NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, directory_id),
    FOREIGN KEY (tenant_id, directory_id) REFERENCES directories (tenant_id, id)
);
CALL protect('scan_settings');
CALL close_to_projects('scan_settings', 'ALL');
GRANT SELECT, INSERT, UPDATE ON scan_settings TO bailiwick_app;

-- A tenant's own checks. A version is written once; a removed one stays, because scans were judged by it.
CREATE TABLE scan_packs (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 60),
    version text NOT NULL CHECK (length(version) BETWEEN 1 AND 40),
    files jsonb NOT NULL,
    sha256 bytea NOT NULL CHECK (length(sha256) = 32),
    added_at timestamptz NOT NULL,
    added_by jsonb NOT NULL,
    removed_at timestamptz,
    PRIMARY KEY (tenant_id, name, version)
);
CALL protect('scan_packs');
CALL close_to_projects('scan_packs', 'ALL');
GRANT SELECT, INSERT, UPDATE (removed_at) ON scan_packs TO bailiwick_app;
