// A page: title, one sentence of state, command bar, filter row, body.
import { makeStyles, mergeClasses, tokens } from '@fluentui/react-components';
import { type ReactNode, useEffect } from 'react';

const useStyles = makeStyles({
  page: { display: 'flex', flexDirection: 'column', gap: tokens.spacingVerticalM, minWidth: 0, maxWidth: '1600px' },
  head: { display: 'flex', flexWrap: 'wrap', gap: `${tokens.spacingVerticalS} ${tokens.spacingHorizontalXL}`, alignItems: 'flex-end', justifyContent: 'space-between' },
  words: { minWidth: 0, flex: '1 1 320px' },
  title: { margin: 0, fontSize: tokens.fontSizeBase600, lineHeight: tokens.lineHeightBase600, fontWeight: tokens.fontWeightSemibold, outlineStyle: 'none' },
  state: { color: tokens.colorNeutralForeground2, display: 'block' },
  commands: { display: 'flex', flexWrap: 'wrap', gap: tokens.spacingHorizontalS },
  section: {
    backgroundColor: tokens.colorNeutralBackground1, border: `1px solid ${tokens.colorNeutralStroke2}`, borderRadius: tokens.borderRadiusMedium,
    padding: `${tokens.spacingVerticalM} ${tokens.spacingHorizontalL} ${tokens.spacingVerticalL}`, minWidth: 0,
  },
  sectionHead: { display: 'flex', flexWrap: 'wrap', justifyContent: 'space-between', alignItems: 'center', gap: tokens.spacingHorizontalM, minHeight: '32px', marginBottom: tokens.spacingVerticalXS },
  sectionTitle: { margin: 0, fontSize: tokens.fontSizeBase300, lineHeight: tokens.lineHeightBase300, fontWeight: tokens.fontWeightSemibold },
  note: { color: tokens.colorNeutralForeground3, fontWeight: tokens.fontWeightRegular },
});

/** The id lets the shell move focus to the title of a new page. */
export const TITLE_ID = 'page-title';

export function Page({ title, state, commands, filters, children }: { title: string; state?: ReactNode; commands?: ReactNode; filters?: ReactNode; children: ReactNode }) {
  const styles = useStyles();
  useEffect(() => {
    document.title = `${title} · Bailiwick`;
  }, [title]);
  return (
    <div className={styles.page}>
      <div className={styles.head}>
        <div className={styles.words}>
          <h1 className={styles.title} id={TITLE_ID} tabIndex={-1}>
            {title}
          </h1>
          {state && <div className={styles.state}>{state}</div>}
        </div>
        {commands && <div className={styles.commands}>{commands}</div>}
      </div>
      {filters}
      {children}
    </div>
  );
}

/** A titled part of a page. */
export function Section({ title, note, actions, children, className }: { title: string; note?: ReactNode; actions?: ReactNode; children: ReactNode; className?: string }) {
  const styles = useStyles();
  return (
    <section className={mergeClasses(styles.section, className)} aria-label={title}>
      <div className={styles.sectionHead}>
        <h2 className={styles.sectionTitle}>
          {title}
          {note && <span className={styles.note}> · {note}</span>}
        </h2>
        {actions}
      </div>
      {children}
    </section>
  );
}
