// The card in the middle of the pages that stand outside the portal: sign-in, and what can be done without one.
import { Card, makeStyles, tokens } from '@fluentui/react-components';
import { type ReactNode, useEffect } from 'react';

const useStyles = makeStyles({
  page: { minHeight: '100vh', display: 'grid', placeItems: 'center', padding: tokens.spacingHorizontalL, boxSizing: 'border-box' },
  card: { width: 'min(440px, 100%)', padding: tokens.spacingHorizontalXXL, gap: tokens.spacingVerticalL, boxSizing: 'border-box' },
  logo: { width: '40px', height: '40px' },
  title: { margin: 0, fontSize: tokens.fontSizeBase600, lineHeight: tokens.lineHeightBase600, fontWeight: tokens.fontWeightSemibold },
});

export function Frame({ title, children }: { title: string; children: ReactNode }) {
  const styles = useStyles();
  useEffect(() => {
    document.title = `${title} · Bailiwick`;
  }, [title]);
  return (
    <main className={styles.page}>
      <Card className={styles.card}>
        <img src="/favicon.svg" alt="" className={styles.logo} />
        <h1 className={styles.title}>{title}</h1>
        {children}
      </Card>
    </main>
  );
}
