// A change as two columns: what is there now, and what it becomes. What differs is marked by sign, word and colour; long values are folded.
import { Link, makeStyles, mergeClasses, tokens } from '@fluentui/react-components';
import { useState } from 'react';
import { f } from '@/messages/fixes';
import { type Entry, entries, fold, type Line, lines, type Member } from './difference';

const words = f.panel;

const useStyles = makeStyles({
  list: { display: 'grid', gap: tokens.spacingVerticalM, gridTemplateColumns: 'minmax(0, 1fr)', margin: 0, padding: 0, listStyleType: 'none' },
  path: { fontFamily: tokens.fontFamilyMonospace, fontSize: tokens.fontSizeBase200, overflowWrap: 'anywhere', marginBottom: tokens.spacingVerticalXXS },
  pair: { display: 'grid', gridTemplateColumns: 'repeat(2, minmax(0, 1fr))', gap: tokens.spacingHorizontalS, '@media (max-width: 640px)': { gridTemplateColumns: 'minmax(0, 1fr)', gap: tokens.spacingVerticalXS } },
  single: { gridTemplateColumns: 'minmax(0, 1fr)' },
  side: { border: `1px solid ${tokens.colorNeutralStroke2}`, borderRadius: tokens.borderRadiusMedium, minWidth: 0, padding: `${tokens.spacingVerticalXXS} ${tokens.spacingHorizontalS} ${tokens.spacingVerticalXS}` },
  from: { borderLeft: `3px solid ${tokens.colorPaletteRedBorder2}` },
  to: { borderLeft: `3px solid ${tokens.colorPaletteGreenBorder2}` },
  doubt: { borderLeft: `3px solid ${tokens.colorStatusWarningBorder2}` },
  doubted: { color: tokens.colorStatusWarningForeground3 },
  name: { color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200 },
  values: { margin: 0, padding: 0, listStyleType: 'none' },
  value: { display: 'grid', gridTemplateColumns: '14px minmax(0, 1fr)', fontFamily: tokens.fontFamilyMonospace, fontSize: tokens.fontSizeBase200, lineHeight: tokens.lineHeightBase300 },
  text: { whiteSpace: 'pre-wrap', overflowWrap: 'anywhere', textDecorationLine: 'none' },
  gone: { color: tokens.colorPaletteRedForeground1 },
  come: { color: tokens.colorPaletteGreenForeground1 },
  nothing: { color: tokens.colorNeutralForeground3, fontStyle: 'italic' },
  rest: { marginTop: tokens.spacingVerticalS, color: tokens.colorNeutralForeground2 },
  summary: { cursor: 'pointer' },
  same: { margin: `${tokens.spacingVerticalXS} 0 0`, paddingLeft: '20px' },
});

interface Names {
  from: string;
  to: string;
}

/**
 * `names` head the two columns; `absent` is what stands where a side has nothing. With `doubt` the right side is what was found, and no aim.
 * Of something wholly new or wholly taken away one side is enough. What stays is folded, unless `open`.
 */
export function Difference({ members, names, absent = words.absent, doubt, open }: { members: Member[]; names: Names; absent?: string; doubt?: boolean; open?: boolean }) {
  const styles = useStyles();
  const all = lines(members);
  const moved = all.filter((line) => line.turn !== 'same');
  const kept = all.filter((line) => line.turn === 'same');
  const [first] = members;
  const whole = members.length === 1 && first?.path === '' ? first : undefined;
  const only = whole && whole.before == null ? 'after' : whole && whole.after == null ? 'before' : undefined;
  return (
    <>
      <ul className={styles.list} aria-label={`${names.from}, ${names.to}`}>
        {moved.map((line) => (
          <li key={line.path}>
            <div className={styles.path}>{line.path}</div>
            <div className={mergeClasses(styles.pair, only && styles.single)}>
              {only !== 'after' && <Side name={only ? words.removes : names.from} line={line} side="before" absent={absent} />}
              {only !== 'before' && <Side name={only ? words.adds : names.to} line={line} side="after" absent={absent} doubt={doubt} />}
            </div>
          </li>
        ))}
      </ul>
      {kept.length > 0 && (
        <details className={styles.rest} open={open}>
          <summary className={styles.summary}>{words.unchanged(kept.length)}</summary>
          <ul className={styles.same}>
            {kept.map((line) => (
              <li key={line.path}>
                <span className={styles.path}>{line.path}</span>: <Text text={entries(line.after, undefined).map((entry) => entry.text).join(', ') || absent} />
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}

function Side({ name, line, side, absent, doubt }: { name: string; line: Line; side: 'before' | 'after'; absent: string; doubt?: boolean }) {
  const styles = useStyles();
  const shown = entries(line[side], line[side === 'before' ? 'after' : 'before']);
  const value = line[side];
  return (
    <div className={mergeClasses(styles.side, side === 'before' ? styles.from : doubt ? styles.doubt : styles.to)} role="group" aria-label={`${line.path}: ${name}`}>
      <div className={styles.name}>{name}</div>
      {shown.length === 0 ? <span className={styles.nothing}>{Array.isArray(value) ? words.emptyList : absent}</span> : <Values shown={shown} side={side} doubt={doubt} />}
    </div>
  );
}

function Values({ shown, side, doubt }: { shown: Entry[]; side: 'before' | 'after'; doubt?: boolean }) {
  const styles = useStyles();
  const colour = side === 'before' ? styles.gone : doubt ? styles.doubted : styles.come;
  const Mark = side === 'before' ? 'del' : 'ins';
  return (
    <ul className={styles.values}>
      {shown.map((entry, index) => (
        <li key={index} className={styles.value}>
          <span aria-hidden className={entry.own ? colour : undefined}>
            {entry.own ? (side === 'before' ? '−' : '+') : ''}
          </span>
          {entry.own ? (
            <Mark className={mergeClasses(styles.text, colour)}>
              <Text text={entry.text} />
            </Mark>
          ) : (
            <span className={styles.text}>
              <Text text={entry.text} />
            </span>
          )}
        </li>
      ))}
    </ul>
  );
}

/** A text whose tail is folded away when it is long. */
export function Text({ text }: { text: string }) {
  const [open, setOpen] = useState(false);
  const { head, rest } = fold(text);
  if (!rest) return <>{text}</>;
  return (
    <>
      {open ? text : `${head} …`}
      <br />
      <Link as="button" inline aria-expanded={open} onClick={() => setOpen(!open)}>
        {open ? words.showLess : words.showAll(rest.lines)}
      </Link>
    </>
  );
}
