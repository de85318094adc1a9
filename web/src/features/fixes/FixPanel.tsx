// One fix beside the list: what changes, who notices, the exact request, who approved, how it went, and the way back.
import { Button, makeStyles, MessageBar, MessageBarBody, MessageBarTitle, Spinner, tokens } from '@fluentui/react-components';
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { changed } from '@/api/queries';
import type { Fix, FixState } from '@/api/schema';
import { Part, usePanelStyles } from '@/features/findings/FindingPanel';
import { t } from '@/messages';
import { f } from '@/messages/fixes';
import { paths } from '@/paths';
import { SeverityBadge } from '@/shared/Badges';
import { CodeSnippet, CopyButton } from '@/shared/CodeSnippet';
import { Facts, Mono } from '@/shared/Facts';
import { exactTime } from '@/shared/format';
import { AppLink } from '@/shared/location';
import { type Place, SidePanel } from '@/shared/SidePanel';
import { ErrorState, ListSkeleton, Loaded, Note } from '@/shared/States';
import { Time } from '@/shared/Time';
import { FixStateBadge, RiskBadge } from './badges';
import { Difference } from './Difference';
import { membersOf, textOf } from './difference';
import { FixActions } from './FixActions';
import { historyOf } from './history';
import { explanationQuery, fixQuery } from './queries';
import { isLive } from './stages';
import { Progress, Steps } from './Steps';

const words = f.panel;

const useStyles = makeStyles({
  list: { margin: 0, paddingLeft: '20px' },
  checks: { listStyleType: 'none', margin: 0, padding: 0, display: 'grid', gap: tokens.spacingVerticalXXS },
  check: { display: 'flex', flexWrap: 'wrap', justifyContent: 'space-between', gap: `0 ${tokens.spacingHorizontalM}` },
  bars: { display: 'grid', gap: tokens.spacingVerticalS, gridTemplateColumns: 'minmax(0, 1fr)' },
  found: { marginTop: tokens.spacingVerticalS },
  digest: { display: 'flex', flexWrap: 'wrap', gap: tokens.spacingHorizontalS, alignItems: 'center', position: 'relative' },
  explained: { whiteSpace: 'pre-wrap', margin: `0 0 ${tokens.spacingVerticalS}` },
  top: { display: 'grid', gap: tokens.spacingVerticalM, gridTemplateColumns: 'minmax(0, 1fr)' },
});

export function FixPanel({ fix, place }: { fix: string; place: Place }) {
  const query = useQuery({ ...fixQuery(fix), placeholderData: keepPreviousData });
  const data = query.data?.id === fix ? query.data : undefined;
  useTurned(data);
  return (
    <SidePanel item={fix} title={data ? data.recipe.title : t.app.loading} place={place} wide>
      <Loaded query={{ ...query, data } as typeof query} permission="fixes.read" skeleton={<ListSkeleton rows={9} />}>
        {(shown) => <Detail fix={shown} />}
      </Loaded>
    </SidePanel>
  );
}

/** When a fix moves on by itself, what else shows it is asked again. */
function useTurned(fix: Fix | undefined): void {
  const client = useQueryClient();
  const before = useRef<{ id: string; state: FixState }>(undefined);
  useEffect(() => {
    if (!fix) return;
    const last = before.current;
    before.current = { id: fix.id, state: fix.state };
    if (last?.id === fix.id && last.state !== fix.state) changed(client, 'list_fixes', 'get_fix_plan', 'get_live_policies');
  }, [fix, client]);
}

function Detail({ fix }: { fix: Fix }) {
  const panel = usePanelStyles();
  const styles = useStyles();
  return (
    <>
      <Part>
        <div className={styles.top}>
          <div className={panel.badges}>
            <FixStateBadge state={fix.state} />
            <SeverityBadge severity={fix.severity} />
            <RiskBadge risk={fix.risk} />
            <span>{fix.directory.name}</span>
          </div>
          <StateBar fix={fix} />
          {(isLive(fix.state) || fix.steps.length > 0) && <Progress fix={fix} />}
          <FixActions fix={fix} />
        </div>
      </Part>
      <Part title={words.what}>
        {fix.object && (
          <p style={{ marginTop: 0 }}>
            {fix.object.name ?? ''} <Mono>{fix.object.id}</Mono>
          </p>
        )}
        <Difference members={membersOf(fix)} names={NAMES[fix.state] ?? { from: words.now, to: words.becomes }} open={fix.recipe.kind === 'enforce'} />
      </Part>
      <Part title={words.who}>
        {fix.blast_radius}
        {fix.report_only && (
          <>
            {' '}
            <Note>{words.reportOnly}</Note>
          </>
        )}
        <Explain fix={fix} />
      </Part>
      <Part title={words.checks}>
        <ul className={styles.checks} aria-label={words.checks}>
          {fix.checks.map((each) => (
            <li key={each.check} className={styles.check}>
              <AppLink inline href={paths.checks({ search: each.check, item: each.check })}>
                {each.title}
              </AppLink>
              <SeverityBadge severity={each.severity} />
            </li>
          ))}
        </ul>
      </Part>
      <Approvals fix={fix} />
      <Part title={words.request}>
        <CodeSnippet label={`${fix.request.method} ${fix.request.url}`} code={fix.request.body == null ? words.noBody : textOf(fix.request.body)} />
        <Note>
          {words.permission} <Mono>{fix.permission}</Mono>
        </Note>
      </Part>
      {fix.steps.length > 0 && (
        <Part title={words.sent}>
          <Steps steps={fix.steps} label={words.sent} plain="apply" />
        </Part>
      )}
      <Part title={words.rollback}>
        {fix.rollback}
        {fix.after_note && (
          <p style={{ marginBottom: 0 }}>
            <strong>{words.afterNote}: </strong>
            {fix.after_note}
          </p>
        )}
      </Part>
      <History fix={fix} />
      <Part title={words.facts}>
        <Facts
          facts={[
            [words.recipe, <Mono key="recipe">{words.version(fix.recipe.id, fix.recipe.version)}</Mono>],
            [words.plan, <AppLink key="plan" href={paths.fixes('list', { plan: fix.plan })}>{words.openPlan}</AppLink>],
            [words.verified, fix.verified_by_scan ? <AppLink key="scan" href={paths.scan(fix.verified_by_scan)}>{words.verifiedBy}</AppLink> : fix.state === 'applied' ? words.notVerified : undefined],
          ]}
        />
      </Part>
    </>
  );
}

/** What the two sides are called, where they are not what is there now and what it becomes. */
const DONE = { from: words.before, to: words.after };
const UNDONE = { from: words.planned, to: words.would };
const NAMES: Partial<Record<FixState, typeof DONE>> = { applied: DONE, rolling_back: DONE, rollback_failed: DONE, rolled_back: DONE, stopped: UNDONE, dismissed: UNDONE, superseded: UNDONE };

const INTENTS: Partial<Record<FixState, 'success' | 'warning' | 'error'>> = { applied: 'success', rolled_back: 'success', stopped: 'warning', failed: 'error', rollback_failed: 'error' };

function said(fix: Fix): string {
  const { failure } = fix;
  if (failure) return fix.state === 'stopped' ? `${failure.detail} ${f.bars.stopped.body}` : `${f.failures[failure.code]}. ${failure.detail}`;
  return fix.state === 'scheduled' && fix.not_before ? f.bars.sentAt(exactTime(fix.not_before)) : f.bars[fix.state].body;
}

/** Where the fix stands and what comes next; where the value moved, what it is now. */
function StateBar({ fix }: { fix: Fix }) {
  const styles = useStyles();
  const { failure } = fix;
  return (
    <div className={styles.bars}>
      <MessageBar intent={INTENTS[fix.state] ?? 'info'} layout="multiline">
        <MessageBarBody>
          <MessageBarTitle>{f.bars[fix.state].title}</MessageBarTitle>
          {said(fix)} {failure?.microsoft_code && words.microsoft(failure.microsoft_code)}
        </MessageBarBody>
      </MessageBar>
      {failure?.found && failure.found.length > 0 && (
        <div className={styles.found} role="group" aria-label={f.bars.changedTo}>
          <strong>{f.bars.changedTo}</strong>
          <Difference members={failure.found} names={{ from: words.expected, to: words.found }} doubt />
        </div>
      )}
    </div>
  );
}

function Approvals({ fix }: { fix: Fix }) {
  const styles = useStyles();
  return (
    <Part title={`${words.approvals} (${words.given(fix.approvals.length, fix.approvals_needed)})`}>
      <Note>{words.needs(fix.approvals_needed)}</Note>
      {fix.approvals.length === 0 ? (
        <p style={{ margin: 0 }}>{words.nobody}</p>
      ) : (
        <ul className={styles.list} aria-label={words.approvals}>
          {fix.approvals.map((approval) => (
            <li key={`${approval.by.id} ${approval.at}`}>
              {approval.by.name} <Time at={approval.at} />
              {approval.note && <> <q>{approval.note}</q></>}
            </li>
          ))}
        </ul>
      )}
      <div className={styles.digest}>
        <Note>{words.digest}</Note>
        <span title={`${fix.digest}. ${words.digestNote}`}>
          <Mono>{fix.digest.slice(0, 16)}</Mono>
        </span>
        <CopyButton text={fix.digest} label={words.copyDigest} />
      </div>
    </Part>
  );
}

function History({ fix }: { fix: Fix }) {
  const panel = usePanelStyles();
  return (
    <Part title={words.history}>
      <ol className={panel.timeline} aria-label={words.history}>
        {historyOf(fix).map((event, index) => (
          <li key={index} className={panel.event}>
            <span>{f.history[event.kind]}</span>
            <span>
              {event.who ?? '–'} {event.note && <q>{event.note}</q>}
            </span>
            <Time at={event.at} />
          </li>
        ))}
      </ol>
    </Part>
  );
}

/** The operator's assistant, asked only when a person wants it, and offered only where there is one. */
function Explain({ fix }: { fix: Fix }) {
  const styles = useStyles();
  const [wanted, setWanted] = useState(false);
  const query = useQuery({ ...explanationQuery(fix.id, fix.digest), enabled: wanted });
  if (fix.may.explain != null) return null;
  if (!wanted) {
    return (
      <div>
        <Button size="small" onClick={() => setWanted(true)}>
          {words.explain}
        </Button>
      </div>
    );
  }
  if (query.isError) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
  return (
    <div role="status">
      {query.data ? (
        <>
          <p className={styles.explained}>{query.data.text}</p>
          <Note>{words.explainedBy}</Note>
        </>
      ) : (
        <Spinner size="tiny" label={words.explaining} />
      )}
    </div>
  );
}
