// What is drawn when an address leads nowhere, and when a page breaks.
import { Button } from '@fluentui/react-components';
import { ErrorCircle24Regular, SearchInfo24Regular } from '@fluentui/react-icons';
import type { ErrorComponentProps } from '@tanstack/react-router';
import { t } from '@/messages';
import { paths } from '@/paths';
import { AppLink } from '@/shared/location';
import { Page } from '@/shared/Page';
import { Note, State } from '@/shared/States';

export function Missing() {
  return (
    <Page title={t.states.notFoundTitle}>
      <State icon={<SearchInfo24Regular />} title={t.states.notFoundNext}>
        <AppLink href={paths.overview()}>{t.states.toOverview}</AppLink>
      </State>
    </Page>
  );
}

export function Crashed({ error }: ErrorComponentProps) {
  return (
    <Page title={t.states.crashed}>
      <State icon={<ErrorCircle24Regular />} title={t.states.crashedNext} alert>
        <Note>{error instanceof Error ? error.message : String(error)}</Note>
        <Button onClick={() => location.reload()}>{t.states.reload}</Button>
      </State>
    </Page>
  );
}
