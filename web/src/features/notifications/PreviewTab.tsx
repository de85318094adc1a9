// What would be sent: a mail as it looks and as text, a card for Teams, a webhook's body with its headers.
import { makeStyles, MessageBar, MessageBarBody, tokens } from '@fluentui/react-components';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { ChannelKind, EventKind, NotificationPreview } from '@/api/schema';
import { known } from '@/features/findings/filters';
import { n } from '@/messages/notifications';
import { CodeSnippet } from '@/shared/CodeSnippet';
import { Facts } from '@/shared/Facts';
import { FilterPill, FilterRow } from '@/shared/FilterRow';
import { fileSize } from '@/shared/format';
import { useSearch } from '@/shared/location';
import { Section } from '@/shared/Page';
import { Loaded, Need, Note } from '@/shared/States';
import { Tabs } from '@/shared/Tabs';
import { CardView } from './CardView';
import { MailFrame } from './MailFrame';
import { previewQuery } from './queries';

const words = n.preview;
const VIEWS = ['html', 'text', 'card', 'json', 'payload', 'headers'] as const;
type View = (typeof VIEWS)[number];

const useStyles = makeStyles({
  body: { display: 'grid', gap: tokens.spacingVerticalM, gridTemplateColumns: 'minmax(0, 1fr)' },
});

const choices = (all: Record<string, string>) => Object.entries(all).map(([value, label]) => ({ value, label }));

export function PreviewTab() {
  return (
    <Need permission="notifications.read">
      <Preview />
    </Need>
  );
}

function Preview() {
  const search = useSearch();
  const event: EventKind = known(n.events, search.event) ?? 'drift_regressed';
  const kind: ChannelKind = known(n.kinds, search.kind) ?? 'smtp';
  const query = useQuery(previewQuery(event, kind));
  return (
    <>
      <FilterRow keys={['event', 'kind']}>
        <FilterPill param="event" name={words.event} choices={choices(n.events)} fallback="drift_regressed" />
        <FilterPill param="kind" name={words.kind} choices={choices(n.kinds)} fallback="smtp" />
      </FilterRow>
      <Section title={n.tab.preview} note={n.kinds[kind]}>
        <Loaded query={query} permission="notifications.read">
          {(preview) => <Message preview={preview} />}
        </Loaded>
      </Section>
    </>
  );
}

function Message({ preview }: { preview: NotificationPreview }) {
  const styles = useStyles();
  const [view, setView] = useState<View>('html');
  const parts = partsOf(preview);
  const shown = parts.includes(view) ? view : parts[0];
  return (
    <div className={styles.body}>
      <Note>{words.lead}</Note>
      {preview.sample && (
        <MessageBar intent="info" layout="multiline">
          <MessageBarBody>{words.sample}</MessageBarBody>
        </MessageBar>
      )}
      <Facts
        facts={[
          [words.subject, preview.subject],
          [words.bytes, fileSize(preview.size)],
        ]}
      />
      {parts.length > 1 && (
        <Tabs label={words.views} value={shown!} onChange={setView} tabs={parts.map((value) => ({ value, text: words[value] }))} />
      )}
      {shown && <PartView part={shown} preview={preview} />}
    </div>
  );
}

/** What there is to look at of a message, the most telling first. */
function partsOf({ html, text, card, payload, headers }: NotificationPreview): View[] {
  const there: Record<View, boolean> = { html: !!html, text: !!text, card: card != null, json: card != null, payload: payload != null, headers: Object.keys(headers ?? {}).length > 0 };
  return VIEWS.filter((view) => there[view]);
}

function PartView({ part, preview: { subject, html, text, card, payload, headers } }: { part: View; preview: NotificationPreview }) {
  switch (part) {
    case 'html':
      return <MailFrame subject={subject} html={html ?? ''} />;
    case 'text':
      return <CodeSnippet label={words.text} code={text ?? ''} />;
    case 'card':
      return <CardView posted={card} />;
    case 'json':
      return <CodeSnippet label={words.json} code={JSON.stringify(card, null, 2)} />;
    case 'payload':
      return <CodeSnippet label={words.payload} code={JSON.stringify(payload, null, 2)} />;
    case 'headers':
      return (
        <>
          <CodeSnippet label={words.headers} code={Object.entries(headers ?? {}).map(([name, value]) => `${name}: ${value}`).join('\n')} />
          <Note>{words.verifyNote}</Note>
        </>
      );
  }
}
