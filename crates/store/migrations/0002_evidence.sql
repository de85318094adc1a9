-- Runs and their artifacts; series, observations and findings.

-- Entra tenants that this tenant reports on.
CREATE TABLE directories (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    id uuid NOT NULL,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    origin text NOT NULL CHECK (origin IN ('reported', 'listed')),
    added_at timestamptz NOT NULL,
    removed_at timestamptz,
    last_run_at timestamptz,
    PRIMARY KEY (tenant_id, id)
);
CALL protect('directories');
GRANT SELECT, INSERT, UPDATE ON directories TO bailiwick_app;

CREATE TABLE runs (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    id uuid NOT NULL,
    project_id uuid,
    -- A queued run is processing while its job is held by a worker.
    state text NOT NULL CHECK (state IN ('receiving', 'queued', 'succeeded', 'failed', 'duplicate')),
    source text NOT NULL CHECK (length(source) BETWEEN 1 AND 120),
    pipeline_run_id text CHECK (length(pipeline_run_id) <= 200),
    -- The submitter's own key for this run, with who submitted it.
    idempotency_key text CHECK (length(idempotency_key) <= 300),
    submitted_by jsonb NOT NULL,
    address text,
    family smallint,
    tool text,
    tool_version text,
    opened_at timestamptz NOT NULL,
    completed_at timestamptz,
    processed_at timestamptz,
    assessed_at timestamptz,
    counts jsonb,
    findings jsonb,
    failure jsonb,
    remarks jsonb,
    attempts integer NOT NULL DEFAULT 0,
    -- SHA-256 over project, source, pipeline run and the files' hashes: the same upload again is known by it.
    content_key bytea,
    duplicate_of uuid,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT runs_idempotency_key UNIQUE (tenant_id, idempotency_key),
    CONSTRAINT runs_content_key UNIQUE (tenant_id, content_key),
    CONSTRAINT runs_project FOREIGN KEY (tenant_id, project_id) REFERENCES projects (tenant_id, id),
    FOREIGN KEY (tenant_id, duplicate_of) REFERENCES runs (tenant_id, id)
);
CALL protect('runs');
GRANT SELECT, INSERT, UPDATE, DELETE ON runs TO bailiwick_app;
CREATE INDEX runs_newest ON runs (tenant_id, opened_at DESC, id DESC);

CREATE TABLE artifacts (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    id uuid NOT NULL,
    run_id uuid NOT NULL,
    project_id uuid,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    kind text NOT NULL CHECK (kind IN ('json', 'html', 'other')),
    size bigint NOT NULL,
    sha256 bytea NOT NULL CHECK (length(sha256) = 32),
    key_version integer NOT NULL,
    stored_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT artifacts_name UNIQUE (tenant_id, run_id, name),
    FOREIGN KEY (tenant_id, run_id) REFERENCES runs (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, key_version) REFERENCES tenant_keys (tenant_id, version)
);
CALL protect('artifacts');
GRANT SELECT, INSERT, DELETE ON artifacts TO bailiwick_app;
CREATE INDEX artifacts_newest ON artifacts (tenant_id, stored_at DESC, id DESC);

-- A line of comparable runs. `identity` is SHA-256 over family, directory, project, tool and category.
CREATE TABLE series (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    id uuid NOT NULL,
    project_id uuid,
    identity bytea NOT NULL,
    family smallint NOT NULL,
    directory_id uuid,
    tool text NOT NULL,
    category text NOT NULL,
    -- How many runs it has; the newest run's position.
    positions integer NOT NULL,
    baseline_position integer,
    last_run_id uuid,
    last_run_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT series_identity UNIQUE (tenant_id, identity),
    FOREIGN KEY (tenant_id, directory_id) REFERENCES directories (tenant_id, id),
    FOREIGN KEY (tenant_id, project_id) REFERENCES projects (tenant_id, id)
);
CALL protect('series');
GRANT SELECT, INSERT, UPDATE ON series TO bailiwick_app;

CREATE TABLE run_series (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    series_id uuid NOT NULL,
    position integer NOT NULL,
    run_id uuid NOT NULL,
    project_id uuid,
    at timestamptz NOT NULL,
    counts jsonb NOT NULL,
    findings jsonb NOT NULL,
    coverage jsonb NOT NULL,
    complete boolean NOT NULL,
    incomplete_reason text,
    PRIMARY KEY (tenant_id, series_id, position),
    CONSTRAINT run_series_run UNIQUE (tenant_id, run_id, series_id),
    FOREIGN KEY (tenant_id, series_id) REFERENCES series (tenant_id, id),
    FOREIGN KEY (tenant_id, run_id) REFERENCES runs (tenant_id, id)
);
CALL protect('run_series');
GRANT SELECT, INSERT ON run_series TO bailiwick_app;
CREATE INDEX run_series_newest ON run_series (tenant_id, at DESC);

-- A project's checks are its own: what one project's report says a rule means is not shown to another.
CREATE TABLE checks (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    id uuid NOT NULL,
    project_id uuid,
    family smallint NOT NULL,
    tool text NOT NULL,
    key text NOT NULL,
    title text NOT NULL,
    description text NOT NULL,
    help_url text,
    product smallint,
    grouping text NOT NULL,
    tags text[] NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT checks_key UNIQUE NULLS NOT DISTINCT (tenant_id, family, tool, key, project_id),
    FOREIGN KEY (tenant_id, project_id) REFERENCES projects (tenant_id, id)
);
CALL protect('checks');
GRANT SELECT, INSERT, UPDATE ON checks TO bailiwick_app;

-- One result over time. A row says: from this position of the series to (not including) that one, the tool said this. A run that
-- says the same again writes nothing; what a run said is every row whose span covers its position.
CREATE TABLE observations (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    series_id uuid NOT NULL,
    fingerprint bytea NOT NULL CHECK (length(fingerprint) = 16),
    from_position integer NOT NULL,
    to_position integer,
    project_id uuid,
    check_id uuid NOT NULL,
    content bigint NOT NULL,
    outcome smallint NOT NULL,
    severity smallint NOT NULL,
    severity_source smallint NOT NULL,
    start_line integer,
    end_line integer,
    start_column integer,
    more_places integer NOT NULL,
    truncated boolean NOT NULL,
    outcome_word text,
    -- Absent where it is the check's own.
    title text,
    message text NOT NULL,
    path text,
    suppression jsonb,
    baseline_state text,
    refs text[],
    PRIMARY KEY (tenant_id, series_id, fingerprint, from_position),
    FOREIGN KEY (tenant_id, series_id) REFERENCES series (tenant_id, id),
    FOREIGN KEY (tenant_id, check_id) REFERENCES checks (tenant_id, id)
);
CALL protect('observations');
GRANT SELECT, INSERT, UPDATE (to_position) ON observations TO bailiwick_app;

-- One failing result over its whole life. Rewritten only when something a person would see has changed.
CREATE TABLE findings (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    id uuid NOT NULL,
    series_id uuid NOT NULL,
    fingerprint bytea NOT NULL CHECK (length(fingerprint) = 16),
    check_id uuid NOT NULL,
    project_id uuid,
    directory_id uuid,
    first_seen timestamptz NOT NULL,
    opened_position integer NOT NULL,
    -- Position of the last turn: opened, fixed or reopened.
    turned_position integer NOT NULL,
    status smallint NOT NULL,
    severity smallint NOT NULL,
    family smallint NOT NULL,
    product smallint,
    suppressed boolean NOT NULL,
    reopened boolean NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT findings_identity UNIQUE (tenant_id, series_id, fingerprint),
    FOREIGN KEY (tenant_id, series_id) REFERENCES series (tenant_id, id),
    FOREIGN KEY (tenant_id, check_id) REFERENCES checks (tenant_id, id)
);
CALL protect('findings');
GRANT SELECT, INSERT, UPDATE ON findings TO bailiwick_app;
-- Ids are ordered by time, so this is worst first, then newest.
CREATE INDEX findings_worst ON findings (tenant_id, status, severity DESC, id DESC);

-- The turns of a finding's life after it opened.
CREATE TABLE finding_events (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    finding_id uuid NOT NULL,
    position integer NOT NULL,
    project_id uuid,
    kind text NOT NULL CHECK (kind IN ('changed', 'fixed', 'reopened')),
    run_id uuid NOT NULL,
    at timestamptz NOT NULL,
    outcome smallint,
    severity smallint,
    PRIMARY KEY (tenant_id, finding_id, position),
    FOREIGN KEY (tenant_id, finding_id) REFERENCES findings (tenant_id, id),
    FOREIGN KEY (tenant_id, run_id) REFERENCES runs (tenant_id, id)
);
CALL protect('finding_events');
GRANT SELECT, INSERT ON finding_events TO bailiwick_app;
