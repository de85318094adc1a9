// The scores of a scan: over all, by product, by framework; each frame with its table.
import { makeStyles, tokens } from '@fluentui/react-components';
import type { NamedScore, ScanScores, Score } from '@/api/schema';
import { m } from '@/messages/microsoft365';
import { ChartFrame } from '@/shared/ChartFrame';
import { number, percent } from '@/shared/format';
import { BareLink, useSearch } from '@/shared/location';
import { paths } from '@/paths';
import { BandBadge } from './badges';
import { newestVersions } from './newest';
import { Ring } from './Ring';

const words = m.scan;
const useStyles = makeStyles({
  frames: { display: 'grid', gridTemplateColumns: 'minmax(0, 1fr)', gap: tokens.spacingHorizontalM },
  top: { display: 'grid', gridTemplateColumns: '220px minmax(0, 1fr)', gap: tokens.spacingHorizontalM, '@media (max-width: 900px)': { gridTemplateColumns: 'minmax(0, 1fr)' } },
  rings: { display: 'grid', gridTemplateColumns: 'repeat(auto-fill, minmax(112px, 1fr))', gap: `${tokens.spacingVerticalM} ${tokens.spacingHorizontalXXS}`, paddingTop: tokens.spacingVerticalS },
  link: { borderRadius: tokens.borderRadiusMedium, padding: `${tokens.spacingVerticalXS} 0`, ':hover': { backgroundColor: tokens.colorNeutralBackground2 } },
  one: { display: 'grid', justifyItems: 'center', paddingTop: tokens.spacingVerticalS },
});

const row = (key: string, name: string, score: Score) => ({
  key,
  cells: [
    name, typeof score.percent === 'number' ? percent(score.percent / 100) : '–', score.band ? <BandBadge key="band" band={score.band} /> : words.nothingJudged, number(score.passed), number(score.failed), number(score.unclear), number(score.skipped),
  ],
});
const columns = [words.name, words.percent, words.band, words.passed, words.failed, words.unclear, words.skipped];

export function Scores({ scan, scores }: { scan: string; scores: ScanScores }) {
  const styles = useStyles();
  return (
    <div className={styles.frames}>
      <div className={styles.top}>
        <ChartFrame title={words.overall} height={160} figures={{ columns, rows: [row('overall', words.overall, scores.overall)] }}>
          <div className={styles.one}>
            <Ring name={words.overall} score={scores.overall} size={120} />
          </div>
        </ChartFrame>
        <Group title={words.byProduct} scan={scan} param="product" scores={scores.by_product} nameOf={m.product} />
      </div>
      <Group title={words.byFramework} scan={scan} param="framework" scores={scores.by_framework} nameOf={m.framework} />
    </div>
  );
}

/** Rings that narrow the list of checks below when they are pressed. Of a framework's versions the newest has one; the table has all. */
function Group({ title, scan, param, scores, nameOf }: { title: string; scan: string; param: 'product' | 'framework'; scores: NamedScore[]; nameOf: (name: string) => string }) {
  const styles = useStyles();
  const search = useSearch();
  const figures = { columns, rows: scores.map((score) => row(score.name, nameOf(score.name), score)) };
  return (
    <ChartFrame title={title} height={160} figures={figures} empty={scores.length === 0 ? words.nothingJudged : undefined}>
      <div className={styles.rings}>
        {newestVersions(scores).map((score) => {
          // The list is narrowed by framework, whatever its version.
          const [value] = score.name.split(' ');
          const chosen = search[param] === value;
          return (
            <BareLink key={score.name} className={styles.link} href={paths.scan(scan, { ...search, [param]: chosen ? undefined : value, item: undefined })} aria-current={chosen || undefined}>
              <Ring name={nameOf(score.name)} score={score} />
            </BareLink>
          );
        })}
      </div>
    </ChartFrame>
  );
}
