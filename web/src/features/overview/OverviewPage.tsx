// The first page: posture and its trend, what changed, what waits, coverage, sources and how fresh they are.
import { makeStyles, mergeClasses, tokens } from '@fluentui/react-components';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { lazy, Suspense } from 'react';
import { useMay } from '@/api/me';
import { overviewQuery } from '@/api/queries';
import type { Overview, Series } from '@/api/schema';
import { t } from '@/messages';
import { paths } from '@/paths';
import { MovementBadge, OutcomeBadge, SeverityBadge } from '@/shared/Badges';
import { type Column, DataTable } from '@/shared/DataTable';
import { number, percent } from '@/shared/format';
import { AppLink, BareLink, useScope } from '@/shared/location';
import { Page, Section } from '@/shared/Page';
import { EmptyState, ListSkeleton, Loaded, Need, Note } from '@/shared/States';
import { Time } from '@/shared/Time';
import { RunTable } from '@/features/evidence/RunTable';
import { seriesName } from '@/features/findings/series';
import { CoverageChart } from './CoverageChart';
import { TrendChart } from './TrendChart';

const ScansCard = lazy(() => import('@/features/scans/ScansCard'));
const FirstSteps = lazy(() => import('./FirstSteps').then((module) => ({ default: module.FirstSteps })));

const useStyles = makeStyles({
  tiles: { display: 'grid', gridTemplateColumns: 'repeat(auto-fit, minmax(min(150px, 100%), 1fr))', gap: tokens.spacingHorizontalM },
  tile: {
    display: 'flex', flexDirection: 'column', gap: tokens.spacingVerticalXXS, padding: `${tokens.spacingVerticalM} ${tokens.spacingHorizontalL}`, backgroundColor: tokens.colorNeutralBackground1,
    border: `1px solid ${tokens.colorNeutralStroke2}`, borderRadius: tokens.borderRadiusMedium, ':hover': { backgroundColor: tokens.colorNeutralBackground2 },
  },
  tileName: { color: tokens.colorNeutralForeground2, fontSize: tokens.fontSizeBase200 },
  tileValue: { fontSize: tokens.fontSizeHero700, lineHeight: tokens.lineHeightHero700, fontWeight: tokens.fontWeightSemibold, fontVariantNumeric: 'tabular-nums' },
  tileNote: { color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200, display: 'flex', flexWrap: 'wrap', gap: `0 ${tokens.spacingHorizontalM}` },
  two: { display: 'grid', gridTemplateColumns: 'repeat(auto-fit, minmax(min(460px, 100%), 1fr))', gap: tokens.spacingHorizontalM, alignItems: 'stretch' },
  moves: { listStyleType: 'none', margin: 0, padding: 0 },
  move: { borderBottom: `1px solid ${tokens.colorNeutralStroke2}`, ':last-child': { borderBottomStyle: 'none' } },
  moveLink: {
    display: 'grid', gridTemplateColumns: '112px minmax(0, 1fr) 88px 100px', '@media (max-width: 640px)': { display: 'flex', flexWrap: 'wrap' }, alignItems: 'center', gap: `2px ${tokens.spacingHorizontalM}`, padding: `${tokens.spacingVerticalS} ${tokens.spacingHorizontalXS}`, ':hover': { backgroundColor: tokens.colorNeutralBackground2 } },
  failedLink: { gridTemplateColumns: '88px minmax(0, 1fr) 100px' },
  moveTitle: { flex: '1 1 220px', minWidth: 0 },
  key: { color: tokens.colorNeutralForeground3 },
  pair: { display: 'flex', flexWrap: 'wrap', gap: `0 ${tokens.spacingHorizontalL}`, color: tokens.colorNeutralForeground2, marginBottom: tokens.spacingVerticalS },
});

export function OverviewPage() {
  return (
    <Need permission="findings.read" page={t.overview.title}>
      <Body />
    </Need>
  );
}

function Body() {
  const query = useQuery({ ...overviewQuery(useScope()), placeholderData: keepPreviousData });
  const open = query.data?.open_findings.reduce((sum, facet) => sum + facet.count, 0) ?? 0;
  const posture = typeof query.data?.posture === 'number' ? percent(query.data.posture) : undefined;
  return (
    <Page title={t.overview.title} state={query.data && query.data.series.length > 0 ? t.overview.state(posture, open) : undefined}>
      <Loaded query={query} permission="findings.read" skeleton={<ListSkeleton rows={5} height={96} />}>
        {(overview) => (overview.series.length === 0 && overview.recent_runs.length === 0 ? <Suspense fallback={<ListSkeleton rows={5} height={96} />}><FirstSteps /></Suspense> : <Evidence overview={overview} open={open} />)}
      </Loaded>
    </Page>
  );
}

function Evidence({ overview, open }: { overview: Overview; open: number }) {
  const styles = useStyles();
  const { counts } = overview;
  const mayScan = useMay('scans.read');
  const failing = counts.failed + counts.error + counts.investigate;
  return (
    <>
      <div className={styles.tiles}>
        <Tile name={t.overview.posture} value={typeof overview.posture === 'number' ? percent(overview.posture) : '–'} href={paths.controls()}>
          {typeof overview.posture === 'number' ? t.overview.postureNote(counts.passed, failing) : t.overview.postureNone}
        </Tile>
        <Tile name={t.overview.openFindings} value={number(open)} href={paths.findings()}>
          {open === 0 ? t.overview.noneOpen : overview.open_findings.filter((facet) => facet.count > 0 && isSeverity(facet.value)).slice(0, 3).map((facet) => (
            <span key={facet.value} style={{ display: 'inline-flex', gap: 4 }}>
              <SeverityBadge severity={facet.value as 'high'} /> {number(facet.count)}
            </span>
          ))}
        </Tile>
        <Tile name={t.movements.regression} value={overview.drift ? number(overview.drift.counts.regression) : '–'} href={paths.changes()}>
          {overview.drift ? t.overview.fixedSince(overview.drift.counts.fixed, overview.drift.against_baseline) : t.overview.changedEmpty}
        </Tile>
        <Tile name={t.overview.productsCovered} value={number(overview.coverage.length)} href={paths.controls()}>
          {t.overview.coverageNote(overview.series.length)}
        </Tile>
      </div>
      <div className={styles.two}>
        <Changed overview={overview} />
        <TrendChart trend={overview.trend} series={overview.series} />
      </div>
      <div className={styles.two}>
        <CoverageChart coverage={overview.coverage} />
        <Attention overview={overview} />
      </div>
      {mayScan && (
        <Suspense>
          <ScansCard />
        </Suspense>
      )}
      <Section title={t.overview.recent} actions={<AppLink href={paths.runs()}>{t.overview.allRuns}</AppLink>}>
        {overview.recent_runs.length === 0 ? <Note>{t.runs.emptyTitle}</Note> : <RunTable label={t.overview.recent} runs={overview.recent_runs} />}
      </Section>
      <Sources series={overview.series} />
    </>
  );
}

const isSeverity = (text: string) => text in t.severities;

function Tile({ name, value, href, children }: { name: string; value: string; href: string; children: React.ReactNode }) {
  const styles = useStyles();
  return (
    <BareLink href={href} className={styles.tile}>
      <span className={styles.tileName}>{name}</span>
      <span className={styles.tileValue}>{value}</span>
      <span className={styles.tileNote}>{children}</span>
    </BareLink>
  );
}

function Changed({ overview: { drift } }: { overview: Overview }) {
  const styles = useStyles();
  if (!drift) {
    return (
      <Section title={t.overview.changed}>
        <EmptyState title={t.changes.emptyTitle}>{t.overview.changedEmpty}</EmptyState>
      </Section>
    );
  }
  const pair = { series: drift.series.id, from: drift.from.run, to: drift.to.run };
  return (
    <Section title={t.overview.changed} note={seriesName(drift.series)} actions={<AppLink href={paths.changes(pair)}>{t.overview.allChanges}</AppLink>}>
      <div className={styles.pair}>
        {(['regression', 'fixed', 'added', 'removed'] as const).map((movement) => (
          <span key={movement} style={{ display: 'inline-flex', gap: 6 }}>
            <MovementBadge movement={movement} /> {number(drift.counts[movement])}
          </span>
        ))}
      </div>
      {drift.items.length === 0 ? (
        <Note>{t.overview.noChange}</Note>
      ) : (
        <ul className={styles.moves} aria-label={t.overview.changed}>
          {drift.items.slice(0, 5).map((item, index) => (
            <li key={index} className={styles.move}>
              <BareLink href={item.finding ? paths.findings({ item: item.finding, status: item.movement === 'fixed' ? 'fixed' : undefined }) : paths.changes(pair)} className={styles.moveLink}>
                <MovementBadge movement={item.movement} one />
                <span className={styles.moveTitle}>
                  <span className={styles.key}>{item.check_key}</span> {item.title}
                </span>
                <SeverityBadge severity={item.severity} />
                {item.to && <OutcomeBadge outcome={item.to} />}
              </BareLink>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

function Attention({ overview: { failed_runs } }: { overview: Overview }) {
  const styles = useStyles();
  return (
    <Section title={t.overview.attention}>
      {failed_runs.length === 0 ? (
        <Note>{t.overview.attentionNone}</Note>
      ) : (
        <ul className={styles.moves} aria-label={t.overview.attention}>
          {failed_runs.map((failed) => (
            <li key={failed.run} className={styles.move}>
              <BareLink href={paths.run(failed.run)} className={mergeClasses(styles.moveLink, styles.failedLink)}>
                <OutcomeBadge outcome="failed" />
                <span className={styles.moveTitle}>
                  {t.run.title(failed.source)}: {failed.failure.detail}
                </span>
                <Time at={failed.at} />
              </BareLink>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

function Sources({ series }: { series: Series[] }) {
  const columns: Column<Series>[] = [
    { key: 'source', name: t.overview.source, width: 'minmax(0, 2fr)', cell: (row) => seriesName(row) },
    { key: 'family', name: t.runs.family, width: 'minmax(0, 1fr)', cell: (row) => t.families[row.family] },
    { key: 'runs', name: t.overview.runsWord, width: '80px', align: 'end', cell: (row) => number(row.runs) },
    { key: 'fresh', name: t.overview.freshness, width: '140px', align: 'end', cell: (row) => <Time at={row.last_run_at} /> },
  ];
  return (
    <Section title={t.overview.sources}>
      <DataTable label={t.overview.sources} rows={series} columns={columns} rowKey={(row) => row.id} href={(row) => paths.changes({ series: row.id })} />
    </Section>
  );
}
