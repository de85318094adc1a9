// One scan: while it goes on, how far it has come; when it has ended, what it found or why it failed.
import { makeStyles, MessageBar, MessageBarBody, MessageBarTitle, tokens } from '@fluentui/react-components';
import { ArrowClockwise20Regular, DismissCircle20Regular } from '@fluentui/react-icons';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import { api, unwrap } from '@/api/client';
import { useWhyNot } from '@/api/me';
import { runQuery } from '@/api/queries';
import type { Scan } from '@/api/schema';
import { ArtifactLinks } from '@/features/evidence/ArtifactLinks';
import { t } from '@/messages';
import { m } from '@/messages/microsoft365';
import { paths } from '@/paths';
import { Action } from '@/shared/Action';
import { Confirm } from '@/shared/Confirm';
import { Facts } from '@/shared/Facts';
import { percent, relativeTime } from '@/shared/format';
import { AppLink, useGo } from '@/shared/location';
import { Page, Section } from '@/shared/Page';
import { ErrorState, ListSkeleton, Need, Note } from '@/shared/States';
import { Time, useNow } from '@/shared/Time';
import { useChange } from '@/shared/useChange';
import { BandBadge, ScanStateBadge } from './badges';
import { tookWords } from './HistoryTab';
import { scanQuery, settled } from './queries';
import { ScanProgress } from './ScanProgress';
import { useWatch } from './watch';

const Results = lazy(() => import('./Results').then((module) => ({ default: module.Results })));
const words = m.scan;

const useStyles = makeStyles({
  two: { display: 'grid', gridTemplateColumns: 'repeat(auto-fit, minmax(min(360px, 100%), 1fr))', gap: tokens.spacingHorizontalM },
  change: { display: 'flex', flexWrap: 'wrap', gap: tokens.spacingHorizontalM, alignItems: 'center' },
});

export function ScanPage() {
  return (
    <Need permission="scans.read" page={m.scans.title}>
      <Body />
    </Need>
  );
}

function Body() {
  const now = useNow();
  const { scan: id } = useParams({ strict: false }) as { scan: string };
  const query = useQuery(scanQuery(id));
  const scan = query.data;
  const { lost } = useWatch(scan);
  return (
    <Page title={scan ? words.title(m.scanKinds[scan.kind], scan.directory.name) : m.scans.title} state={scan && stateOf(scan, now)} commands={scan && <Commands scan={scan} />}>
      {query.isError && !scan ? <ErrorState error={query.error} onRetry={() => void query.refetch()} permission="scans.read" /> : !scan ? <ListSkeleton rows={10} height={32} /> : (
        <>
          {!settled(scan) && <ScanProgress scan={scan} lost={lost} />}
          {scan.end && <Ended scan={scan} />}
          {scan.state === 'completed' && scan.complete === false && (
            <MessageBar intent="warning" layout="multiline">
              <MessageBarBody>{words.incomplete}</MessageBarBody>
            </MessageBar>
          )}
          {scan.state === 'completed' ? (
            <Suspense fallback={<ListSkeleton rows={10} height={32} />}>
              <Results scan={scan}>
                <About scan={scan} />
              </Results>
            </Suspense>
          ) : (
            <About scan={scan} />
          )}
        </>
      )}
    </Page>
  );
}

function stateOf(scan: Scan, now: number): string {
  const { score } = scan;
  if (scan.state === 'completed' && score && typeof score.percent === 'number' && score.band) return words.done(relativeTime(scan.ended_at ?? scan.queued_at, now), percent(score.percent / 100), m.bands[score.band].toLowerCase());
  return settled(scan) ? `${m.scanStates[scan.state]}.` : `${m.phases[scan.progress.phase]}.`;
}

function Commands({ scan }: { scan: Scan }) {
  const go = useGo();
  const whyNot = useWhyNot('scans.run');
  const [asking, setAsking] = useState(false);
  const cancel = useChange({
    run: () => unwrap(api.POST('/api/v1/scans/{scan}/cancel', { params: { path: { scan: scan.id } } })),
    name: words.cancel, done: words.cancelled, touches: ['get_scan', 'list_scans'], then: () => setAsking(false),
  });
  const again = useChange({
    run: () => unwrap(api.POST('/api/v1/scans', { body: { kind: scan.kind, connection: scan.connection } })),
    name: words.again, done: words.started, touches: ['list_scans'], then: (next) => go(paths.scan(next.id)),
  });
  if (settled(scan)) {
    return (
      <Action appearance="primary" icon={<ArrowClockwise20Regular />} whyNot={whyNot} disabledFocusable={again.isPending} onClick={() => again.mutate(undefined)}>
        {words.again}
      </Action>
    );
  }
  return (
    <>
      <Action icon={<DismissCircle20Regular />} whyNot={whyNot} onClick={() => setAsking(true)}>
        {words.cancel}
      </Action>
      {asking && <Confirm title={words.cancel} body={words.noResults} verb={words.cancel} busy={cancel.isPending} onConfirm={() => cancel.mutate(undefined)} onClose={() => setAsking(false)} />}
    </>
  );
}

function Ended({ scan: { end, state } }: { scan: Scan }) {
  if (!end) return null;
  return (
    <MessageBar intent={state === 'cancelled' ? 'info' : 'error'} layout="multiline">
      <MessageBarBody>
        <MessageBarTitle>{m.ends[end.code]}</MessageBarTitle>
        {end.detail} {end.cloud && end.cloud.detail !== end.detail && end.cloud.detail} {end.cloud?.microsoft_code && m.directories.panel.microsoft(end.cloud.microsoft_code)} {words.noResults}
      </MessageBarBody>
    </MessageBar>
  );
}

function About({ scan }: { scan: Scan }) {
  const styles = useStyles();
  const run = useQuery({ ...runQuery(scan.run ?? ''), enabled: Boolean(scan.run) }).data;
  const series = run?.series[0];
  return (
    <div className={styles.two}>
      <Section title={words.about}>
        <Facts
          facts={[
            [words.directory, <AppLink key="directory" href={paths.directories({ item: scan.connection })}>{scan.directory.name}</AppLink>],
            [m.scans.stateColumn, <ScanStateBadge key="state" state={scan.state} />],
            [m.scans.score, scan.score?.band && typeof scan.score.percent === 'number' && <span key="score" className={styles.change}>{percent(scan.score.percent / 100)} <BandBadge band={scan.score.band} /></span>],
            [words.requested, <span key="by"><Time at={scan.queued_at} /> {scan.schedule ? m.scans.bySchedule : scan.requested_by.name}</span>],
            [words.took, tookWords(scan)],
            [words.attempts(scan.attempts), scan.attempts > 1 ? words.resumed(scan.progress.requests_resumed) : undefined],
            [words.run, scan.run && <AppLink key="run" href={paths.run(scan.run)}>{scan.catalogue ? words.catalogue(scan.catalogue) : words.run}</AppLink>],
          ]}
        />
      </Section>
      {scan.run && (
        <Section
          title={words.change}
          actions={series?.previous ? <AppLink href={paths.changes({ series: series.series, from: series.previous, to: scan.run })}>{words.changes}</AppLink> : undefined}
        >
          <Facts
            facts={[
              [m.scans.score, typeof scan.score_change === 'number' ? words.points(m.scans.change(scan.score_change)) : words.firstScan],
              [words.findings, scan.findings && t.runs.delta(scan.findings.new, scan.findings.fixed, scan.findings.reopened)],
              [words.raw, run && (run.artifacts.length > 0 ? <ArtifactLinks key="raw" artifacts={run.artifacts} /> : <Note key="none">{t.run.noArtifacts}</Note>)],
            ]}
          />
        </Section>
      )}
    </div>
  );
}
