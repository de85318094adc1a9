// The settings with the greatest effect, as they are now. Each row has its own source: one that fails leaves the others.
import { makeStyles, tokens } from '@fluentui/react-components';
import { CheckmarkCircle16Filled, DismissCircle16Filled, QuestionCircle16Regular } from '@fluentui/react-icons';
import { useQuery } from '@tanstack/react-query';
import { useMay, useWhyNot } from '@/api/me';
import type { ConditionalAccessSummary, DirectoryId, LivePolicies, LivePolicy } from '@/api/schema';
import { recipesQuery } from '@/features/fixes/queries';
import { pathOfPlan, usePlanning } from '@/features/fixes/usePlanning';
import { m } from '@/messages/microsoft365';
import { Action } from '@/shared/Action';
import { Badge } from '@/shared/Badges';
import { type Column, DataTable } from '@/shared/DataTable';
import { number } from '@/shared/format';
import { useGo, useScope } from '@/shared/location';
import { Section } from '@/shared/Page';
import { Need, Note } from '@/shared/States';
import { SourceBadge } from './badges';
import { LivePage } from './LivePage';
import { SourceLine } from './LiveSource';
import { policiesQuery } from './queries';
import { wordOf } from './words';

const words = m.policies;
const useStyles = makeStyles({
  figures: { display: 'grid', gridTemplateColumns: 'repeat(auto-fit, minmax(110px, 1fr))', gap: tokens.spacingHorizontalM, margin: 0 },
  figure: { display: 'flex', flexDirection: 'column-reverse' },
  value: { margin: 0, fontSize: tokens.fontSizeHero700, lineHeight: tokens.lineHeightHero700, fontWeight: tokens.fontWeightSemibold, fontVariantNumeric: 'tabular-nums' },
  name: { color: tokens.colorNeutralForeground2 },
  narrow: { display: 'none', color: tokens.colorNeutralForeground3, '@media (max-width: 640px)': { display: 'inline' } },
});

export function PoliciesPage() {
  return (
    <Need permission="live.read" page={words.title}>
      <Body />
    </Need>
  );
}

function Body() {
  const query = useQuery(policiesQuery(useScope().directory));
  return (
    <LivePage title={words.title} state={words.state} query={query} why={(live) => live.conditional_access.source.detail}>
      {(live) => <Shown live={live} />}
    </LivePage>
  );
}

export function ComplianceBadge({ policy }: { policy: Pick<LivePolicy, 'compliant' | 'source'> }) {
  if (policy.source.state !== 'ok') return <SourceBadge state={policy.source.state} />;
  if (policy.compliant === true) return <Badge tone="good" icon={CheckmarkCircle16Filled} word={words.yes} />;
  if (policy.compliant === false) return <Badge tone="bad" icon={DismissCircle16Filled} word={words.no} />;
  return <Badge tone="calm" icon={QuestionCircle16Regular} word={words.unclear} />;
}

const columns: Column<LivePolicy>[] = [
  { key: 'name', name: words.policy, width: 'minmax(0, 2fr)', cell: (row) => <span title={row.description}>{row.name}</span> },
  { key: 'compliant', name: words.compliant, width: '170px', cell: (row) => <ComplianceBadge policy={row} /> },
  { key: 'current', name: words.current, width: 'minmax(0, 1.6fr)', cell: (row) => (row.source.state === 'ok' ? <Words name={words.current} value={row.current} /> : <span title={row.source.detail ?? undefined}>{row.source.detail ?? (row.source.permission ? m.threats.needs(row.source.permission) : '–')}</span>) },
  { key: 'secure', name: words.secure, width: 'minmax(0, 1.6fr)', cell: (row) => <Words name={words.secure} value={row.secure} either /> },
  { key: 'why', name: m.scan.panel.why, width: 'minmax(0, 2.6fr)', wideOnly: true, cell: (row) => <span title={row.description}>{row.description}</span> },
];

/** A value, with the name of its column where the head of the table is not drawn. */
function Words({ name, value, either }: { name: string; value: unknown; either?: boolean }) {
  const styles = useStyles();
  const text = wordOf(value, either);
  return (
    <span title={text}>
      <span className={styles.narrow}>{name}: </span>
      {text}
    </span>
  );
}

function Shown({ live }: { live: LivePolicies }) {
  const fix = useFixColumn(live.directory?.id);
  const good = live.policies.filter((policy) => policy.compliant === true).length;
  const bad = live.policies.filter((policy) => policy.compliant === false).length;
  return (
    <>
      <Section title={words.table} note={words.count(good, bad)}>
        {live.policies.length === 0 ? <Note>{words.emptyTitle}</Note> : <DataTable label={words.table} rows={live.policies} columns={fix ? [...columns, fix] : columns} rowKey={(row) => row.key} />}
      </Section>
      <ConditionalAccess summary={live.conditional_access} connection={live.connection} />
    </>
  );
}

/** Leads a policy that is not secure to its fix: planned, approved and sent as every other, never past them. */
function useFixColumn(directory: DirectoryId | undefined): Column<LivePolicy> | undefined {
  const go = useGo();
  const maySee = useMay('fixes.read');
  const recipes = useQuery({ ...recipesQuery(directory), enabled: maySee && directory !== undefined }).data?.items ?? [];
  const whyNot = useWhyNot('fixes.plan');
  const planning = usePlanning((plan) => go(pathOfPlan(plan)));
  if (directory === undefined || !maySee) return undefined;
  return {
    key: 'fix', name: words.fix, width: '110px',
    cell: (row) =>
      row.compliant === false && recipes.some((recipe) => recipe.policies?.includes(row.key)) ? (
        <Action size="small" aria-label={words.fixNamed(row.name)} whyNot={whyNot} disabledFocusable={planning.isPending} onClick={() => planning.mutate({ directory, policies: [row.key] })}>
          {words.fixThis}
        </Action>
      ) : null,
  };
}

function ConditionalAccess({ summary, connection }: { summary: ConditionalAccessSummary; connection: string | null | undefined }) {
  const styles = useStyles();
  return (
    <Section title={words.ca}>
      {summary.source.state !== 'ok' ? <SourceLine source={summary.source} connection={connection} /> : (
        <dl className={styles.figures}>
          {([[words.total, summary.total], [words.enabled, summary.enabled], [words.reportOnly, summary.report_only], [words.disabled, summary.disabled]] as const).map(([name, value]) => (
            <div key={name} className={styles.figure}>
              <dt className={styles.name}>{name}</dt>
              <dd className={styles.value}>{number(value)}</dd>
            </div>
          ))}
        </dl>
      )}
    </Section>
  );
}
