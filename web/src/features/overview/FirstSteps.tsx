// An empty tenant: what this is, and three ways to begin.
import { makeStyles, tokens } from '@fluentui/react-components';
import { SNIPPETS } from '@/features/tenancy/snippets';
import { t } from '@/messages';
import { paths } from '@/paths';
import { CodeSnippet } from '@/shared/CodeSnippet';
import { AppLink } from '@/shared/location';
import { Section } from '@/shared/Page';
import { EmptyState } from '@/shared/States';

const useStyles = makeStyles({ ways: { display: 'grid', gridTemplateColumns: 'repeat(auto-fit, minmax(min(360px, 100%), 1fr))', gap: tokens.spacingHorizontalM } });

export function FirstSteps() {
  const styles = useStyles();
  const ways = [
    { name: t.overview.emptyUpload, code: SNIPPETS.shell.key },
    { name: t.overview.emptyPipeline, code: SNIPPETS.github.oidc ?? SNIPPETS.github.key },
    { name: t.overview.emptyPowerShell, code: SNIPPETS.powershell.key },
  ];
  return (
    <>
      <EmptyState title={t.overview.emptyTitle} action={<AppLink href={paths.settings('submit')}>{t.overview.emptyMore}</AppLink>}>
        {t.overview.emptyLead}
      </EmptyState>
      <div className={styles.ways}>
        {ways.map((way) => (
          <Section key={way.name} title={way.name}>
            <CodeSnippet label={way.name} code={way.code} />
          </Section>
        ))}
      </div>
    </>
  );
}
