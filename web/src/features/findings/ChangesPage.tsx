// What moved between two runs of a series: the default pair, or any pair, or against the pinned baseline.
import { Dropdown, Field, makeStyles, MessageBar, MessageBarBody, mergeClasses, Option, tokens } from '@fluentui/react-components';
import { ArrowSwap20Regular, Pin20Regular, PinOff20Regular } from '@fluentui/react-icons';
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, ApiError, unwrap } from '@/api/client';
import { useWhyNot } from '@/api/me';
import { changed, driftQuery, runQuery, seriesQuery } from '@/api/queries';
import type { Drift, DriftItem, DriftSide, Movement } from '@/api/schema';
import { t } from '@/messages';
import { paths } from '@/paths';
import { Action } from '@/shared/Action';
import { MovementBadge, OutcomeBadge, SeverityBadge } from '@/shared/Badges';
import { type Column, DataTable } from '@/shared/DataTable';
import { number, percent } from '@/shared/format';
import { AppLink, isWebUrl, OutsideLink, useScope, useSearch, useSetSearch } from '@/shared/location';
import { useNotify } from '@/shared/notify';
import { Page, Section } from '@/shared/Page';
import { EmptyState, ErrorState, ListSkeleton, Need, Note } from '@/shared/States';
import { Time } from '@/shared/Time';
import { ArtifactLinks } from '@/features/evidence/ArtifactLinks';
import { byMovement, byProduct, MOVEMENTS, type ProductRow } from './drift';
import { Titled, Where } from './FindingsPage';
import { known } from './filters';
import { PairPicker } from './PairPicker';
import { place } from './place';
import { seriesName } from './series';

const useStyles = makeStyles({
  pickers: { display: 'flex', flexWrap: 'wrap', gap: tokens.spacingHorizontalM, alignItems: 'flex-end' },
  series: { minWidth: 'min(280px, 100%)', flex: '1 1 260px', maxWidth: '420px' },
  cards: { display: 'grid', gridTemplateColumns: 'repeat(auto-fit, minmax(130px, 1fr))', gap: tokens.spacingHorizontalM },
  card: {
    display: 'flex', flexDirection: 'column', gap: tokens.spacingVerticalXXS, alignItems: 'flex-start', padding: `${tokens.spacingVerticalM} ${tokens.spacingHorizontalL}`, textAlign: 'left', font: 'inherit',
    backgroundColor: tokens.colorNeutralBackground1, color: tokens.colorNeutralForeground1, border: `1px solid ${tokens.colorNeutralStroke2}`, borderRadius: tokens.borderRadiusMedium, cursor: 'pointer',
    ':hover': { backgroundColor: tokens.colorNeutralBackground2 }, ':focus-visible': { outline: `2px solid ${tokens.colorStrokeFocus2}` },
  },
  still: { cursor: 'default', ':hover': { backgroundColor: tokens.colorNeutralBackground1 } },
  pressed: { border: `1px solid ${tokens.colorBrandStroke1}`, boxShadow: `inset 0 -3px 0 ${tokens.colorCompoundBrandStroke}` },
  value: { fontSize: tokens.fontSizeHero700, lineHeight: tokens.lineHeightHero700, fontWeight: tokens.fontWeightSemibold, fontVariantNumeric: 'tabular-nums' },
  two: { display: 'grid', gridTemplateColumns: 'repeat(auto-fit, minmax(min(420px, 100%), 1fr))', gap: tokens.spacingHorizontalM },
  side: { display: 'flex', flexDirection: 'column', gap: tokens.spacingVerticalXS },
  sideHead: { minHeight: '32px', '& a': { padding: '4px 0' }, display: 'flex', flexWrap: 'wrap', gap: `0 ${tokens.spacingHorizontalM}`, alignItems: 'baseline' },
  fromTo: { display: 'inline-flex', flexWrap: 'wrap', gap: '2px 8px', alignItems: 'center' },
});

export function ChangesPage() {
  return (
    <Need permission="findings.read" page={t.changes.title}>
      <Body />
    </Need>
  );
}

function Body() {
  const styles = useStyles();
  const { series: seriesId, from, to } = useSearch();
  const set = useSetSearch();
  const scope = useScope();
  const seriesList = useQuery(seriesQuery(scope));
  const drift = useQuery({ ...driftQuery({ ...scope, series: seriesId, from, to }), placeholderData: keepPreviousData });
  const data = drift.isError ? undefined : drift.data;
  const list = seriesList.data?.items ?? [];
  const chosen = list.find((each) => each.id === (seriesId ?? data?.series.id)) ?? data?.series;
  const nothing = drift.error instanceof ApiError && drift.error.status === 404;
  return (
    <Page
      title={t.changes.title}
      state={data ? t.changes.state(seriesName(data.series), data.from.position, data.to.position) : t.changes.stateEmpty}
      commands={data && <Commands drift={data} />}
      filters={
        list.length > 0 && (
          <div className={styles.pickers}>
            <Field label={t.changes.series} className={styles.series}>
              <Dropdown
                size="small" value={chosen ? seriesName(chosen) : ''} selectedOptions={chosen ? [chosen.id] : []}
                onOptionSelect={(_, option) => set({ series: option.optionValue, from: undefined, to: undefined })}
              >
                {list.map((each) => (
                  <Option key={each.id} value={each.id} text={seriesName(each)}>
                    {seriesName(each)}
                  </Option>
                ))}
              </Dropdown>
            </Field>
            {chosen && <PairPicker series={chosen} from={from ?? data?.from.run} to={to ?? data?.to.run} chosen={Boolean(from ?? to)} />}
          </div>
        )
      }
    >
      {data ? <Comparison drift={data} /> : nothing ? <EmptyState title={t.changes.emptyTitle}>{t.changes.empty}</EmptyState> : drift.isError ? (
        <ErrorState error={drift.error} onRetry={() => void drift.refetch()} permission="findings.read" />
      ) : (
        <ListSkeleton rows={10} height={32} />
      )}
    </Page>
  );
}

function Commands({ drift }: { drift: Drift }) {
  const client = useQueryClient();
  const notify = useNotify();
  const set = useSetSearch();
  const whyNot = useWhyNot('baselines.write');
  const refresh = () => changed(client, 'get_drift', 'list_series', 'get_overview');
  const path = { series: drift.series.id };
  const pin = useMutation({
    mutationFn: () => unwrap(api.PUT('/api/v1/series/{series}/baseline', { params: { path }, body: { run: drift.from.run } })),
    onSuccess: () => { notify.done(t.changes.pinned); refresh(); },
    onError: (error) => notify.failed(t.changes.pin, error),
  });
  const unpin = useMutation({
    mutationFn: () => unwrap(api.DELETE('/api/v1/series/{series}/baseline', { params: { path } })),
    onSuccess: () => { notify.done(t.changes.unpinned); refresh(); },
    onError: (error) => notify.failed(t.changes.unpin, error),
  });
  const baseline = drift.series.baseline ?? undefined;
  return (
    <>
      <Action icon={<Pin20Regular />} whyNot={whyNot ?? (baseline === drift.from.run ? t.changes.alreadyPinned : undefined)} disabledFocusable={pin.isPending} onClick={() => pin.mutate()}>
        {t.changes.pin}
      </Action>
      <Action icon={<PinOff20Regular />} whyNot={whyNot ?? (baseline === undefined ? t.changes.notPinned : undefined)} disabledFocusable={unpin.isPending} onClick={() => unpin.mutate()}>
        {t.changes.unpin}
      </Action>
      <Action icon={<ArrowSwap20Regular />} onClick={() => set({ series: drift.series.id, from: drift.to.run, to: drift.from.run })}>
        {t.changes.swap}
      </Action>
    </>
  );
}

function Comparison({ drift }: { drift: Drift }) {
  const styles = useStyles();
  const set = useSetSearch();
  const only = known(t.movements, useSearch().movement);
  const groups = byMovement(drift.items).filter((group) => only === undefined || group.movement === only);
  return (
    <>
      <div className={styles.cards} role="group" aria-label={t.changes.counts}>
        {MOVEMENTS.map((movement) => (
          <button
            key={movement} type="button" aria-pressed={only === movement} className={mergeClasses(styles.card, only === movement && styles.pressed)}
            onClick={() => set({ movement: only === movement ? undefined : movement }, 'replace')}
          >
            <MovementBadge movement={movement} />
            <span className={styles.value}>{number(drift.counts[movement])}</span>
          </button>
        ))}
        <div className={mergeClasses(styles.card, styles.still)}>
          <Note>{t.changes.unchanged}</Note>
          <span className={styles.value}>{number(drift.counts.unchanged)}</span>
        </div>
      </div>
      {drift.against_baseline && <Bar>{t.changes.againstBaseline}</Bar>}
      {!(drift.from.complete && drift.to.complete) && <Bar intent="warning">{t.changes.incomplete}</Bar>}
      {drift.truncated && <Bar intent="warning">{t.changes.truncated(drift.items.length)}</Bar>}
      {drift.items.length === 0 && <EmptyState title={t.changes.nothingMoved} />}
      {groups.map((group) => (
        <Movements key={group.movement} movement={group.movement} items={group.items} />
      ))}
      <div className={styles.two}>
        {drift.items.length > 0 && <ByProduct rows={byProduct(drift.items)} />}
        <Section title={t.changes.raw}>
          <div className={styles.side}>
            <Side name={t.changes.rawOlder} side={drift.from} />
            <Side name={t.changes.rawNewer} side={drift.to} />
          </div>
        </Section>
      </div>
    </>
  );
}

function Bar({ intent = 'info', children }: { intent?: 'info' | 'warning'; children: string }) {
  return (
    <MessageBar intent={intent}>
      <MessageBarBody>{children}</MessageBarBody>
    </MessageBar>
  );
}

function Movements({ movement, items }: { movement: Movement; items: DriftItem[] }) {
  const styles = useStyles();
  const columns: Column<DriftItem>[] = [
    {
      key: 'title', name: t.changes.titleColumn, width: 'minmax(0, 4fr)',
      cell: (row) => (row.finding ? (
        <AppLink href={paths.findings({ item: row.finding, status: row.movement === 'fixed' || row.movement === 'removed' ? 'fixed' : undefined })}>
          <Titled check={row.check_key} title={row.title} />
        </AppLink>
      ) : (
        <Titled check={row.check_key} title={row.title} />
      )),
    },
    {
      key: 'fromTo', name: t.changes.fromTo, width: '230px',
      cell: (row) => (
        <span className={styles.fromTo}>
          {row.from ? <OutcomeBadge outcome={row.from} /> : t.changes.absent} <span aria-label="to">→</span> {row.to ? <OutcomeBadge outcome={row.to} /> : t.changes.absent}
        </span>
      ),
    },
    { key: 'severity', name: t.changes.severity, width: '92px', cell: (row) => <SeverityBadge severity={row.severity} /> },
    { key: 'product', name: t.changes.product, width: '112px', cell: (row) => (row.product ? t.products[row.product] : '–') },
    { key: 'group', name: t.findings.detail.group, width: 'minmax(0, 1fr)', wideOnly: true, cell: (row) => <Where text={place(row.location) ?? row.group} /> },
    { key: 'help', name: t.controls.docsColumn, width: '130px', wideOnly: true, cell: (row) => (row.help_url && isWebUrl(row.help_url) ? <OutsideLink href={row.help_url}>{row.check_key}</OutsideLink> : '–') },
  ];
  return (
    <Section title={t.movements[movement]} note={t.count(items.length, 'check')}>
      <DataTable label={t.movements[movement]} rows={items} columns={columns} rowKey={(row) => `${row.check_key} ${place(row.location) ?? ''} ${items.indexOf(row)}`} />
    </Section>
  );
}

function ByProduct({ rows }: { rows: ProductRow[] }) {
  const columns: Column<ProductRow>[] = [
    { key: 'product', name: t.changes.product, width: 'minmax(0, 1fr)', cell: (row) => (row.product ? t.products[row.product] : t.products.other) },
    ...MOVEMENTS.map((movement): Column<ProductRow> => ({ key: movement, name: t.movements[movement], width: '86px', align: 'end', cell: (row) => number(row[movement]) })),
  ];
  return (
    <Section title={t.changes.byProduct}>
      <DataTable label={t.changes.byProduct} rows={rows} columns={columns} rowKey={(row) => row.product ?? 'none'} />
    </Section>
  );
}

function Side({ name, side }: { name: string; side: DriftSide }) {
  const styles = useStyles();
  const run = useQuery(runQuery(side.run));
  return (
    <div>
      <div className={styles.sideHead}>
        <strong>{name}</strong>
        <AppLink href={paths.run(side.run)}>{t.changes.run(side.position, side.source)}</AppLink>
        <Time at={side.at} />
        {typeof side.posture === 'number' && (
          <Note>
            {t.changes.posture} {percent(side.posture)}
          </Note>
        )}
      </div>
      {run.data && <ArtifactLinks artifacts={run.data.artifacts} />}
    </div>
  );
}
