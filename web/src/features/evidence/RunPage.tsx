// One run, whole: where it came from, how far it got, what it says, what it is made of.
import { makeStyles, MessageBar, MessageBarBody, MessageBarTitle, Text, tokens } from '@fluentui/react-components';
import { ArrowClockwise20Regular } from '@fluentui/react-icons';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { api, unwrap } from '@/api/client';
import { useMay, useWhyNot } from '@/api/me';
import { changed, runQuery } from '@/api/queries';
import type { Artifact, RunDetail, RunSeries } from '@/api/schema';
import { seriesName } from '@/features/findings/series';
import { t } from '@/messages';
import { paths } from '@/paths';
import { Action } from '@/shared/Action';
import { CopyButton } from '@/shared/CodeSnippet';
import { type Column, DataTable } from '@/shared/DataTable';
import { Facts, Mono } from '@/shared/Facts';
import { fileSize, number, percent } from '@/shared/format';
import { AppLink } from '@/shared/location';
import { useNotify } from '@/shared/notify';
import { Page, Section } from '@/shared/Page';
import { ErrorState, ListSkeleton, Need, Note } from '@/shared/States';
import { Time } from '@/shared/Time';
import { ArtifactActions } from './ArtifactLinks';
import { Provenance } from './Provenance';
import { RunCounts } from './RunCounts';
import { RunResults } from './RunResults';
import { RunSteps } from './RunSteps';

const useStyles = makeStyles({
  two: { display: 'grid', gridTemplateColumns: 'repeat(auto-fit, minmax(min(420px, 100%), 1fr))', gap: tokens.spacingHorizontalM },
  hash: { display: 'inline-flex', gap: tokens.spacingHorizontalXS, alignItems: 'center', minWidth: 0, maxWidth: '100%', position: 'relative', zIndex: 1 },
  remarks: { margin: 0, paddingLeft: '20px' },
});

export function RunPage() {
  return (
    <Need permission="runs.read" page={t.runs.title}>
      <Body />
    </Need>
  );
}

function Body() {
  const { run } = useParams({ strict: false }) as { run: string };
  const query = useQuery(runQuery(run));
  if (query.data) return <Whole run={query.data} />;
  return <Page title={t.nav.runs}>{query.isError ? <ErrorState error={query.error} onRetry={() => void query.refetch()} permission="runs.read" /> : <ListSkeleton rows={8} height={32} />}</Page>;
}

function Whole({ run }: { run: RunDetail }) {
  const styles = useStyles();
  const mayFind = useMay('findings.read');
  const { failure } = run;
  return (
    <Page title={t.run.title(run.source)} state={<Provenance run={run} />} commands={<Retry run={run} />}>
      {failure && (
        <MessageBar intent="error" layout="multiline">
          <MessageBarBody>
            <MessageBarTitle>{t.run.refusal}</MessageBarTitle>
            <Text block>{failure.detail}</Text>
            <Facts facts={[[t.run.place, failure.place && <Mono key="place">{failure.place}</Mono>], [t.run.artifact, failure.artifact], [t.run.code, <Mono key="code">{failure.code}</Mono>]]} />
          </MessageBarBody>
        </MessageBar>
      )}
      {run.duplicate_of && (
        <MessageBar intent="info">
          <MessageBarBody>
            {t.run.stepDuplicate}. <AppLink href={paths.run(run.duplicate_of)}>{t.run.duplicateOf}</AppLink>
          </MessageBarBody>
        </MessageBar>
      )}
      <div className={styles.two}>
        <Section title={t.run.steps} note={run.attempts > 1 ? t.run.attempts(run.attempts) : undefined}>
          <RunSteps run={run} />
        </Section>
        <Section title={t.run.counts} note={typeof run.posture === 'number' ? `${t.run.posture} ${percent(run.posture)}` : undefined}>
          <RunCounts run={run} />
        </Section>
      </div>
      {run.remarks.length > 0 && (
        <Section title={t.run.remarks}>
          <ul className={styles.remarks}>
            {run.remarks.map((remark) => (
              <li key={remark}>{remark}</li>
            ))}
          </ul>
        </Section>
      )}
      {run.series.length > 0 && <SeriesTable run={run} />}
      <Section title={t.run.artifacts}>{run.artifacts.length === 0 ? <Note>{t.run.noArtifacts}</Note> : <Artifacts artifacts={run.artifacts} />}</Section>
      {mayFind && <RunResults run={run} />}
    </Page>
  );
}

function Retry({ run }: { run: RunDetail }) {
  const client = useQueryClient();
  const notify = useNotify();
  const whyNot = useWhyNot('runs.retry');
  const retry = useMutation({
    mutationFn: () => unwrap(api.POST('/api/v1/runs/{run}/retry', { params: { path: { run: run.id } } })),
    onSuccess: () => { notify.done(t.run.retried); changed(client, 'get_run', 'list_runs', 'get_overview'); },
    onError: (error) => notify.failed(t.run.retry, error),
  });
  return (
    <Action icon={<ArrowClockwise20Regular />} whyNot={run.state === 'failed' ? whyNot : t.run.retryNotFailed} disabledFocusable={retry.isPending} onClick={() => retry.mutate()}>
      {t.run.retry}
    </Action>
  );
}

function SeriesTable({ run }: { run: RunDetail }) {
  const columns: Column<RunSeries>[] = [
    { key: 'name', name: t.run.seriesName, width: 'minmax(0, 2fr)', cell: (row) => seriesName(row) },
    { key: 'position', name: t.run.position, width: '80px', align: 'end', cell: (row) => row.position },
    { key: 'posture', name: t.run.posture, width: '80px', align: 'end', cell: (row) => (typeof row.posture === 'number' ? percent(row.posture) : '–') },
    { key: 'total', name: t.run.total, width: '80px', align: 'end', cell: (row) => number(row.counts.total) },
    { key: 'findings', name: t.runs.findings, width: 'minmax(0, 1fr)', cell: (row) => t.runs.delta(row.findings.new, row.findings.fixed, row.findings.reopened) },
    { key: 'complete', name: t.run.complete, width: 'minmax(0, 1fr)', cell: (row) => (row.complete ? t.run.yes : `${t.run.no}: ${row.incomplete_reason ?? ''}`) },
    { key: 'compare', name: t.run.actions, width: '200px', cell: (row) => (row.previous ? <AppLink href={paths.changes({ series: row.series, from: row.previous, to: run.id })}>{t.run.compare}</AppLink> : '–') },
  ];
  return (
    <Section title={t.run.series}>
      <DataTable label={t.run.series} rows={run.series} columns={columns} rowKey={(row) => row.series} />
    </Section>
  );
}

function Artifacts({ artifacts }: { artifacts: Artifact[] }) {
  const styles = useStyles();
  const columns: Column<Artifact>[] = [
    { key: 'name', name: t.run.name, width: 'minmax(0, 1.5fr)', cell: (row) => row.name },
    { key: 'size', name: t.run.size, width: '90px', align: 'end', cell: (row) => fileSize(row.size) },
    {
      key: 'hash', name: t.run.hash, width: 'minmax(0, 2fr)',
      cell: (row) => (
        <span className={styles.hash}>
          <Mono>{`${row.sha256.slice(0, 16)}…`}</Mono>
          <CopyButton text={row.sha256} label={`${t.run.copyHash}: ${row.name}`} />
        </span>
      ),
    },
    { key: 'stored', name: t.run.stored, width: '120px', cell: (row) => <Time at={row.stored_at} /> },
    { key: 'actions', name: t.run.actions, width: '200px', cell: (row) => <ArtifactActions artifact={row} /> },
  ];
  return <DataTable label={t.run.artifacts} rows={artifacts} columns={columns} rowKey={(row) => row.id} />;
}
