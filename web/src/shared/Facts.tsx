// Names and values, as a description list.
import { makeStyles, tokens } from '@fluentui/react-components';
import type { ReactNode } from 'react';

const useStyles = makeStyles({
  list: { display: 'grid', gridTemplateColumns: 'minmax(110px, max-content) minmax(0, 1fr)', gap: `${tokens.spacingVerticalXS} ${tokens.spacingHorizontalL}`, margin: 0, alignItems: 'baseline' },
  name: { color: tokens.colorNeutralForeground3 },
  value: { margin: 0, minWidth: 0 },
  mono: { fontFamily: tokens.fontFamilyMonospace, fontSize: tokens.fontSizeBase200, overflowWrap: 'anywhere' },
});

export function Facts({ facts }: { facts: [name: string, value: ReactNode][] }) {
  const styles = useStyles();
  const known = facts.filter(([, value]) => value !== undefined && value !== null && value !== '');
  return (
    <dl className={styles.list}>
      {known.map(([name, value]) => [
        <dt key={`${name}-name`} className={styles.name}>
          {name}
        </dt>,
        <dd key={`${name}-value`} className={styles.value}>
          {value}
        </dd>,
      ])}
    </dl>
  );
}

export function Mono({ children }: { children: ReactNode }) {
  return <code className={useStyles().mono}>{children}</code>;
}
