// Counts that add up: each outcome, and the total under a line.
import { makeStyles, tokens } from '@fluentui/react-components';
import type { Outcome, RunDetail } from '@/api/schema';
import { t } from '@/messages';
import { OutcomeBadge } from '@/shared/Badges';
import { number } from '@/shared/format';
import { Note } from '@/shared/States';

const OUTCOMES: Outcome[] = ['passed', 'failed', 'error', 'investigate', 'skipped', 'not_run', 'unknown'];

const useStyles = makeStyles({
  halves: { display: 'grid', gridTemplateColumns: 'repeat(auto-fit, minmax(180px, 1fr))', gap: tokens.spacingHorizontalXXL },
  table: { borderCollapse: 'collapse', width: '100%' },
  caption: { textAlign: 'left', color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200, paddingBottom: tokens.spacingVerticalXXS },
  name: { textAlign: 'left', fontWeight: tokens.fontWeightRegular, padding: '2px 0' },
  value: { textAlign: 'right', fontVariantNumeric: 'tabular-nums', padding: '2px 0' },
  total: { borderTop: `1px solid ${tokens.colorNeutralStroke1}`, fontWeight: tokens.fontWeightSemibold },
});

export function RunCounts({ run }: { run: RunDetail }) {
  const styles = useStyles();
  const shown = OUTCOMES.filter((outcome) => run.counts[outcome] > 0);
  if (run.counts.total === 0) return <Note>{run.state === 'succeeded' || run.state === 'failed' || run.state === 'duplicate' ? t.run.noResults : t.run.waiting}</Note>;
  return (
    <div className={styles.halves}>
      <table className={styles.table}>
        <caption className={styles.caption}>{t.run.countsNote}</caption>
        <tbody>
          {shown.map((outcome) => (
            <tr key={outcome}>
              <th scope="row" className={styles.name}>
                <OutcomeBadge outcome={outcome} />
              </th>
              <td className={styles.value}>{number(run.counts[outcome])}</td>
            </tr>
          ))}
          <tr className={styles.total}>
            <th scope="row" className={styles.name}>
              {t.run.total}
            </th>
            <td className={styles.value}>{number(run.counts.total)}</td>
          </tr>
        </tbody>
      </table>
      <table className={styles.table}>
        <caption className={styles.caption}>{t.run.findings}</caption>
        <tbody>
          {([['new', t.run.newWord], ['reopened', t.run.reopened], ['fixed', t.run.fixed], ['existing', t.run.existing]] as const).map(([key, name]) => (
            <tr key={key}>
              <th scope="row" className={styles.name}>
                {name}
              </th>
              <td className={styles.value}>{number(run.findings[key])}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
