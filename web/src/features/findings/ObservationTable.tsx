// Observations as rows, and one of them beside the list: used for controls and for the results of a run.
import { makeStyles } from '@fluentui/react-components';
import type { Observation } from '@/api/schema';
import { useDirectoryName } from '@/shell/Scope';
import { t } from '@/messages';
import { paths, withSearch } from '@/paths';
import { OutcomeBadge, SeverityBadge } from '@/shared/Badges';
import { type Column, DataTable, type DataTableProps } from '@/shared/DataTable';
import { Facts, Mono } from '@/shared/Facts';
import { AppLink, isWebUrl, OutsideLink, usePath, useSearch } from '@/shared/location';
import { Message } from '@/shared/Message';
import { type Place, SidePanel } from '@/shared/SidePanel';
import { Note } from '@/shared/States';
import { Part, usePanelStyles } from './FindingPanel';
import { Titled, Where } from './FindingsPage';
import { place } from './place';

const useStyles = makeStyles({ docs: { fontSize: 'inherit' } });

/** One check can speak of several places and directories in one run. */
export const observationKey = (row: Observation) => [row.series, row.check, place(row.location) ?? '', row.directory ?? '', row.finding ?? ''].join('~');

export function ObservationTable({ label, rows, more, selected }: { label: string; rows: Observation[]; more: DataTableProps<Observation>['more']; selected?: string }) {
  const styles = useStyles();
  const path = usePath();
  const search = useSearch();
  const directory = useDirectoryName();
  const columns: Column<Observation>[] = [
    { key: 'title', name: t.controls.titleColumn, width: 'minmax(0, 5fr)', cell: (row) => <Titled check={row.check_key} title={row.title} /> },
    { key: 'outcome', name: t.controls.outcome, width: '144px', cell: (row) => <OutcomeBadge outcome={row.outcome} word={row.outcome_word} /> },
    { key: 'severity', name: t.controls.severity, width: '92px', cell: (row) => <SeverityBadge severity={row.severity} /> },
    { key: 'product', name: t.controls.product, width: '112px', cell: (row) => (row.product ? t.products[row.product] : '–') },
    { key: 'where', name: t.findings.where, width: 'minmax(0, 1.6fr)', wideOnly: true, cell: (row) => <Where text={place(row.location) ?? directory(row.directory) ?? row.group} /> },
    {
      key: 'docs', name: t.controls.docsColumn, width: '150px', wideOnly: true,
      cell: (row) => (row.help_url && isWebUrl(row.help_url) ? <OutsideLink href={row.help_url} className={styles.docs}>{row.check_key}</OutsideLink> : '–'),
    },
  ];
  return <DataTable label={label} rows={rows} columns={columns} rowKey={observationKey} selected={selected} more={more} href={(row) => withSearch(path, { ...search, item: observationKey(row) })} />;
}

export function ObservationPanel({ observation, place: position }: { observation: Observation; place: Place }) {
  const styles = usePanelStyles();
  const directory = useDirectoryName();
  const { help_url: help } = observation;
  return (
    <SidePanel item={observationKey(observation)} title={observation.title} place={position}>
      <Part>
        <div className={styles.badges}>
          <OutcomeBadge outcome={observation.outcome} word={observation.outcome_word} />
          <SeverityBadge severity={observation.severity} />
          {observation.finding && <AppLink href={paths.findings({ item: observation.finding })}>{t.controls.openFinding}</AppLink>}
        </div>
      </Part>
      <Part title={t.controls.message}>{observation.message ? <Message text={observation.message} /> : <Note>{t.controls.noMessage}</Note>}</Part>
      <Part title={t.findings.detail.facts}>
        <Facts
          facts={[
            [t.controls.check, <Mono key="check">{observation.check_key}</Mono>],
            [t.controls.product, observation.product && t.products[observation.product]],
            [t.controls.group, observation.group],
            [t.findings.where, place(observation.location) && <Mono key="place">{place(observation.location)}</Mono>],
            [t.findings.detail.directory, directory(observation.directory)],
            [t.findings.detail.tags, observation.tags.join(', ')],
            [t.findings.detail.help, help && isWebUrl(help) && <OutsideLink key="help" href={help}>{help}</OutsideLink>],
          ]}
        />
      </Part>
    </SidePanel>
  );
}
