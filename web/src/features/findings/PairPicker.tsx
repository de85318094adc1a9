// Two runs of one series, to compare.
import { Button, Dropdown, Field, makeStyles, Option } from '@fluentui/react-components';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useMay } from '@/api/me';
import { runQuery, runsQuery } from '@/api/queries';
import type { Run, Series } from '@/api/schema';
import { t } from '@/messages';
import { relativeTime, shortDate } from '@/shared/format';
import { useSetSearch } from '@/shared/location';
import { useNow } from '@/shared/Time';

const useStyles = makeStyles({ field: { minWidth: 'min(220px, 100%)', flex: '1 1 220px', maxWidth: '340px' } });

export function PairPicker({ series, from, to, chosen }: { series: Series; from?: string; to?: string; chosen: boolean }) {
  const set = useSetSearch();
  const mayRead = useMay('runs.read');
  const scope = { family: series.family, directory: series.directory?.id, project: series.project?.id, state: 'succeeded' as const };
  const runs = useInfiniteQuery({ ...runsQuery(scope), enabled: mayRead }).data?.pages[0]?.items ?? [];
  // The list has the newest runs; the chosen ones may be older than all of them.
  const older = useQuery({ ...runQuery(from ?? ''), enabled: mayRead && from !== undefined }).data;
  const newer = useQuery({ ...runQuery(to ?? ''), enabled: mayRead && to !== undefined }).data;
  const offered = [...runs];
  for (const run of [older, newer]) if (run && !offered.some((each) => each.id === run.id)) offered.push(run);
  const pick = (side: 'from' | 'to', run: string | undefined) => set({ series: series.id, from, to, [side]: run });
  return (
    <>
      <RunPicker label={t.changes.from} runs={offered} run={from} baseline={series.baseline ?? undefined} onPick={(run) => pick('from', run)} />
      <RunPicker label={t.changes.to} runs={offered} run={to} baseline={series.baseline ?? undefined} onPick={(run) => pick('to', run)} />
      {chosen && (
        <Button size="small" appearance="subtle" onClick={() => set({ from: undefined, to: undefined })}>
          {t.changes.defaultPair}
        </Button>
      )}
    </>
  );
}

function RunPicker({ label, runs, run, baseline, onPick }: { label: string; runs: Run[]; run?: string; baseline?: string; onPick: (run: string | undefined) => void }) {
  const styles = useStyles();
  const now = useNow();
  const text = (each: Run) => {
    const at = each.assessed_at ?? each.opened_at;
    return `${shortDate(at)} (${relativeTime(at, now)}), ${each.source}${each.id === baseline ? `, ${t.changes.baseline}` : ''}`;
  };
  const shown = runs.find((each) => each.id === run);
  return (
    <Field label={label} className={styles.field}>
      <Dropdown size="small" value={shown ? text(shown) : ''} selectedOptions={run ? [run] : []} onOptionSelect={(_, option) => onPick(option.optionValue)}>
        {runs.map((each) => (
          <Option key={each.id} value={each.id} text={text(each)}>
            {text(each)}
          </Option>
        ))}
      </Dropdown>
    </Field>
  );
}
