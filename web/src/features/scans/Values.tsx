// Values of a directory as they were read: plain words plain, everything else as JSON.
import { makeStyles, tokens } from '@fluentui/react-components';
import { m } from '@/messages/microsoft365';
import { wantedText } from './wanted';

const useStyles = makeStyles({
  pair: { display: 'grid', gridTemplateColumns: 'repeat(auto-fit, minmax(min(190px, 100%), 1fr))', gap: tokens.spacingHorizontalM },
  name: { color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200 },
  value: {
    margin: 0, padding: tokens.spacingVerticalS, minHeight: '36px', maxHeight: '260px', overflow: 'auto', boxSizing: 'border-box', backgroundColor: tokens.colorNeutralBackground3, borderRadius: tokens.borderRadiusMedium,
    fontFamily: tokens.fontFamilyMonospace, fontSize: tokens.fontSizeBase200, whiteSpace: 'pre-wrap', overflowWrap: 'anywhere',
  },
});

/** A value as text; nothing and an empty list say so. */
export function valueText(value: unknown): string {
  if (value === null || value === undefined) return m.scan.panel.nothing;
  if (typeof value === 'string') return value;
  return JSON.stringify(value, null, 2);
}

export function Value({ name, value }: { name: string; value: unknown }) {
  const styles = useStyles();
  return (
    <div>
      <div className={styles.name}>{name}</div>
      <pre className={styles.value} tabIndex={0} role="group" aria-label={name}>
        {valueText(value)}
      </pre>
    </div>
  );
}

/** What was found beside what was wanted. */
export function FoundAndWanted({ actual, expected }: { actual: unknown; expected: unknown }) {
  const styles = useStyles();
  return (
    <div className={styles.pair}>
      <Value name={m.scan.panel.actual} value={actual} />
      <Value name={m.scan.panel.expected} value={wantedText(expected) ?? expected} />
    </div>
  );
}
