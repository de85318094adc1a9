// A score as a ring: the number in it and its band below, so that the colour is never alone. The table with the figures is beside it.
import { makeStyles, tokens } from '@fluentui/react-components';
import type { Band, Score } from '@/api/schema';
import { m } from '@/messages/microsoft365';
import { percent } from '@/shared/format';
import { BandBadge } from './badges';

const words = m.scan;
const COLOURS: Record<Band, string> = {
  excellent: tokens.colorPaletteGreenBackground3, good: tokens.colorCompoundBrandBackground, needs_attention: tokens.colorPaletteMarigoldBackground3, critical_risk: tokens.colorPaletteRedBackground3,
};

const useStyles = makeStyles({
  ring: { display: 'grid', justifyItems: 'center', gap: '2px', textAlign: 'center', minWidth: 0 },
  name: { fontWeight: tokens.fontWeightSemibold },
  note: { color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200 },
  number: { fill: tokens.colorNeutralForeground1, fontWeight: tokens.fontWeightSemibold, fontFamily: tokens.fontFamilyBase, fontVariantNumeric: 'tabular-nums' },
});

export function Ring({ name, score, size = 76 }: { name: string; score: Score; size?: number }) {
  const styles = useStyles();
  const stroke = size / 10;
  const radius = (size - stroke) / 2;
  const around = 2 * Math.PI * radius;
  const judged = typeof score.percent === 'number' && score.band;
  const share = judged ? score.percent! / 100 : 0;
  return (
    <div className={styles.ring}>
      <svg width={size} height={size} viewBox={`0 0 ${size} ${size}`} role="img" aria-label={judged ? words.ring(name, percent(share), m.bands[score.band!]) : words.noneJudged(name)}>
        <circle cx={size / 2} cy={size / 2} r={radius} fill="none" stroke={tokens.colorNeutralBackground5} strokeWidth={stroke} />
        {judged && share > 0 && (
          <circle
            cx={size / 2} cy={size / 2} r={radius} fill="none" stroke={COLOURS[score.band!]} strokeWidth={stroke} strokeDasharray={`${share * around} ${around}`} transform={`rotate(-90 ${size / 2} ${size / 2})`}
          />
        )}
        <text className={styles.number} x="50%" y="50%" dy="0.35em" textAnchor="middle" fontSize={size / 4.4}>
          {judged ? percent(share) : '–'}
        </text>
      </svg>
      <span className={styles.name}>{name}</span>
      {judged ? <BandBadge band={score.band!} /> : <span className={styles.note}>{words.nothingJudged}</span>}
      <span className={styles.note}>{words.judged(score.passed, score.passed + score.failed)}</span>
    </div>
  );
}
