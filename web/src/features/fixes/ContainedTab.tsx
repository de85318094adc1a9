// Who was contained, by whom and why, how each measure stands, and the way back.
import { CheckmarkCircle16Filled, Clock16Regular, DismissCircle16Filled } from '@fluentui/react-icons';
import { makeStyles, MessageBar, MessageBarBody, MessageBarTitle, tokens } from '@fluentui/react-components';
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { api, unwrap } from '@/api/client';
import { useMay, useWhyNot } from '@/api/me';
import { changed } from '@/api/queries';
import type { ActStanding, ActState, Containment } from '@/api/schema';
import { usePages } from '@/api/usePages';
import { known } from '@/features/findings/filters';
import { Part, usePanelStyles } from '@/features/findings/FindingPanel';
import { choicesOf } from '@/features/scans/HistoryTab';
import { t } from '@/messages';
import { f } from '@/messages/fixes';
import { paths } from '@/paths';
import { Action } from '@/shared/Action';
import { Badge } from '@/shared/Badges';
import { Confirm } from '@/shared/Confirm';
import { type Column, DataTable } from '@/shared/DataTable';
import { Facts, Mono } from '@/shared/Facts';
import { FilterPill, FilterRow } from '@/shared/FilterRow';
import { useGo, usePath, useSearch, useSetSearch } from '@/shared/location';
import { Section } from '@/shared/Page';
import { type Place, SidePanel } from '@/shared/SidePanel';
import { EmptyState, ErrorState, ListSkeleton, Loaded, NoMatch } from '@/shared/States';
import { Time } from '@/shared/Time';
import { useChange } from '@/shared/useChange';
import { useReachItem } from '@/shared/useReachItem';
import { ContainmentBadge } from './badges';
import { containmentQuery, containmentsQuery } from './queries';
import { Steps } from './Steps';

const words = f.contain;
const FILTERS = ['state'];
const useStyles = makeStyles({
  top: { display: 'grid', gap: tokens.spacingVerticalM, gridTemplateColumns: 'minmax(0, 1fr)', justifyItems: 'start' },
  acts: { listStyleType: 'none', margin: 0, padding: 0, display: 'grid', gap: tokens.spacingVerticalXS },
  act: { display: 'flex', flexWrap: 'wrap', justifyContent: 'space-between', gap: `0 ${tokens.spacingHorizontalM}` },
  stand: { display: 'inline-flex', gap: tokens.spacingHorizontalS, alignItems: 'center' },
  wide: { flexBasis: '100%', color: tokens.colorNeutralForeground2 },
});

const nameOf = ({ user }: Containment) => user.name ?? user.principal_name ?? user.id;
const measures = (each: Containment) => [each.revoke_sessions && words.revoked, each.disable && words.disabled].filter(Boolean).join(', ');

const columns: Column<Containment>[] = [
  { key: 'person', name: words.person, width: 'minmax(0, 2fr)', cell: (row) => <span title={row.user.principal_name ?? row.user.id}>{nameOf(row)}</span> },
  { key: 'state', name: words.state, width: '160px', cell: (row) => <ContainmentBadge state={row.state} /> },
  { key: 'measures', name: words.measures, width: 'minmax(0, 2fr)', cell: measures },
  { key: 'reason', name: words.reason, width: 'minmax(0, 2fr)', wideOnly: true, cell: (row) => <span title={row.reason}>{row.reason}</span> },
  { key: 'directory', name: words.directory, width: 'minmax(0, 1fr)', cell: (row) => row.directory.name },
  { key: 'by', name: words.by, width: 'minmax(0, 1fr)', cell: (row) => row.by.name },
  { key: 'at', name: words.at, width: '110px', align: 'end', cell: (row) => <Time at={row.at} /> },
];

export function ContainedTab() {
  const search = useSearch();
  const set = useSetSearch();
  const go = useGo();
  const item = usePath() === paths.fixes('contained') ? search.item : undefined;
  const { query, rows, pages, more } = usePages(containmentsQuery({ directory: search.directory, state: known(f.containmentStates, search.state) }));
  const keys = rows?.map((row) => row.id);
  const mayLook = useMay('live.read');
  useReachItem({ item: item !== undefined && keys?.includes(item) ? item : undefined, keys, pages, more });
  return (
    <>
      <FilterRow keys={FILTERS}>
        <FilterPill param="state" name={words.state} choices={choicesOf(f.containmentStates)} />
      </FilterRow>
      <Section title={words.table} note={rows && t.list.shown(rows.length, more.has)}>
        {query.isError && !rows ? (
          <ErrorState error={query.error} onRetry={() => void query.refetch()} permission="fixes.read" />
        ) : !rows ? (
          <ListSkeleton rows={6} />
        ) : rows.length > 0 ? (
          <DataTable label={words.table} rows={rows} columns={columns} rowKey={(row) => row.id} href={(row) => paths.fixes('contained', { ...search, item: row.id })} selected={item} more={more} />
        ) : search.state || search.directory ? (
          <NoMatch onClear={() => set({ state: undefined, directory: undefined })} />
        ) : (
          <EmptyState title={words.emptyTitle} action={mayLook && <Action onClick={() => go(paths.threats())}>{words.toThreats}</Action>}>
            {words.empty}
          </EmptyState>
        )}
      </Section>
      {item && <ContainmentPanel containment={item} place={{ keys: keys ?? [], hasMore: more.has }} />}
    </>
  );
}

function ContainmentPanel({ containment, place }: { containment: string; place: Place }) {
  const client = useQueryClient();
  const query = useQuery({ ...containmentQuery(containment), placeholderData: keepPreviousData });
  const data = query.data?.id === containment ? query.data : undefined;
  const state = data?.state;
  useEffect(() => {
    if (state !== undefined) changed(client, 'list_containments');
  }, [state, client]);
  return (
    <SidePanel item={containment} title={data ? nameOf(data) : t.app.loading} place={place}>
      <Loaded query={{ ...query, data } as typeof query} permission="fixes.read" skeleton={<ListSkeleton rows={7} />}>
        {(shown) => <Detail containment={shown} />}
      </Loaded>
    </SidePanel>
  );
}

function Detail({ containment }: { containment: Containment }) {
  const panel = usePanelStyles();
  const styles = useStyles();
  const { failure } = containment;
  return (
    <>
      <Part>
        <div className={styles.top}>
          <div className={panel.badges} role="status">
            <ContainmentBadge state={containment.state} />
            <span>{containment.directory.name}</span>
          </div>
          {failure && (
            <MessageBar intent="error" layout="multiline" style={{ justifySelf: 'stretch' }}>
              <MessageBarBody>
                <MessageBarTitle>{f.failures[failure.code]}</MessageBarTitle>
                {failure.detail} {failure.microsoft_code && f.panel.microsoft(failure.microsoft_code)}
              </MessageBarBody>
            </MessageBar>
          )}
          {containment.disable && containment.state !== 'released' && <Release containment={containment} />}
        </div>
      </Part>
      <Part title={words.measures}>
        <ul className={styles.acts} aria-label={words.measures}>
          {containment.acts.map((act) => (
            <Act key={act.act} act={act} />
          ))}
        </ul>
      </Part>
      <Part title={words.reason}>{containment.reason}</Part>
      <Part title={f.panel.facts}>
        <Facts
          facts={[
            [words.principal, containment.user.principal_name],
            [words.userId, <Mono key="id">{containment.user.id}</Mono>],
            [words.by, containment.by.name],
            [words.at, <Time key="at" at={containment.at} />],
            [words.releasedBy, containment.released_by?.name],
            [words.releasedAt, containment.released_at && <Time key="released" at={containment.released_at} />],
          ]}
        />
      </Part>
      <Part title={words.steps}>
        <Steps steps={containment.steps} label={words.steps} plain="contain" />
      </Part>
    </>
  );
}

const LOOKS: Record<ActState, Pick<React.ComponentProps<typeof Badge>, 'tone' | 'icon'>> = {
  waiting: { tone: 'busy', icon: Clock16Regular }, done: { tone: 'good', icon: CheckmarkCircle16Filled }, failed: { tone: 'bad', icon: DismissCircle16Filled },
};

function Act({ act }: { act: ActStanding }) {
  const styles = useStyles();
  return (
    <li className={styles.act}>
      <span>{f.acts[act.act]}</span>
      <span className={styles.stand}>
        {act.done_at && <Time at={act.done_at} />}
        <Badge {...LOOKS[act.state]} word={f.actStates[act.state]} />
      </span>
      {act.failure && <span className={styles.wide}>{act.failure.detail}</span>}
    </li>
  );
}

function Release({ containment }: { containment: Containment }) {
  const [asked, setAsked] = useState(false);
  const missing = useWhyNot('containment.act');
  const release = useChange({
    run: () => unwrap(api.POST('/api/v1/containments/{containment}/release', { params: { path: { containment: containment.id } } })),
    name: words.releaseTitle(nameOf(containment)), done: words.released, touches: ['get_containment', 'list_containments'], then: () => setAsked(false),
  });
  return (
    <>
      <Action size="small" appearance="primary" whyNot={missing ?? containment.may.release ?? undefined} onClick={() => setAsked(true)}>
        {words.release}
      </Action>
      {asked && (
        <Confirm title={words.releaseTitle(nameOf(containment))} body={words.releaseBody} verb={words.release} busy={release.isPending} onConfirm={() => release.mutate(undefined)} onClose={() => setAsked(false)} />
      )}
    </>
  );
}
