// How to submit, per platform and per proof of who sends.
import { Field, makeStyles, Radio, RadioGroup, tokens } from '@fluentui/react-components';
import { useState } from 'react';
import { t } from '@/messages';
import { paths } from '@/paths';
import { CodeSnippet } from '@/shared/CodeSnippet';
import { AppLink, useSearch, useSetSearch } from '@/shared/location';
import { Section } from '@/shared/Page';
import { Tabs } from '@/shared/Tabs';
import { Note } from '@/shared/States';
import { type Platform, type Proof, SNIPPETS } from './snippets';

const PLATFORMS: Platform[] = ['github', 'azure', 'powershell', 'shell'];
const words = t.settings.submit;
const useStyles = makeStyles({ body: { display: 'grid', gap: tokens.spacingVerticalM, gridTemplateColumns: 'minmax(0, 1fr)' } });

export function SubmitTab() {
  const styles = useStyles();
  const search = useSearch();
  const set = useSetSearch();
  const platform = PLATFORMS.find((each) => each === search.platform) ?? 'github';
  const [wanted, setProof] = useState<Proof>('oidc');
  const snippets = SNIPPETS[platform];
  const proof: Proof = snippets[wanted] ? wanted : 'key';
  return (
    <Section title={t.settings.tab.submit}>
      <div className={styles.body}>
        <Note>{words.lead}</Note>
        <Tabs label={words.platform} value={platform} onChange={(value) => set({ platform: value }, 'replace')} tabs={PLATFORMS.map((each) => ({ value: each, text: words[each] }))} />
        {snippets.oidc && (
          <Field label={words.how}>
            <RadioGroup layout="horizontal" value={proof} onChange={(_, data) => setProof(data.value as Proof)}>
              <Radio value="oidc" label={words.oidc} />
              <Radio value="key" label={words.key} />
            </RadioGroup>
          </Field>
        )}
        <CodeSnippet label={words[platform]} code={snippets[proof] ?? snippets.key} />
        <Note>
          {words.note} <AppLink inline href={paths.settings('keys')}>{t.settings.tab.keys}</AppLink>
        </Note>
      </div>
    </Section>
  );
}
