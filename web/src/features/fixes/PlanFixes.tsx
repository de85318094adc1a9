// Planning: of which directory, what it does, and that it writes nothing. That it is being asked is in the address, so that other pages
// can lead here.
import { Dropdown, Field, MessageBar, MessageBarBody, Option } from '@fluentui/react-components';
import { ClipboardTaskAdd20Regular } from '@fluentui/react-icons';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useMay, useWhyNot } from '@/api/me';
import type { DirectoryId, FixSettingsOfDirectory } from '@/api/schema';
import { useReaders } from '@/features/scans/StartScan';
import { f } from '@/messages/fixes';
import { paths } from '@/paths';
import { Action } from '@/shared/Action';
import { FormDialog } from '@/shared/Confirm';
import { AppLink, useGo, useSearch, useSetSearch } from '@/shared/location';
import { Note } from '@/shared/States';
import { fixSettingsQuery } from './queries';
import { usePlanning } from './usePlanning';

const words = f.plan;

/** The directories that fixes can be planned for: those that are read. */
export function useDirectories(): { id: string; name: string }[] {
  return [...new Map(useReaders().map((each) => [each.directory.id, each.directory])).values()];
}

export function PlanButton() {
  const set = useSetSearch();
  const whyNot = useWhyNot('fixes.plan');
  const none = useDirectories().length === 0;
  return (
    <Action appearance="primary" icon={<ClipboardTaskAdd20Regular />} whyNot={whyNot ?? (none ? words.none : undefined)} onClick={() => set({ start: 'yes' }, 'replace')}>
      {words.button}
    </Action>
  );
}

export function PlanDialog({ onClose }: { onClose: () => void }) {
  const go = useGo();
  const search = useSearch();
  const directories = useDirectories();
  const [chosen, setChosen] = useState<DirectoryId | undefined>(search.of ?? search.directory);
  const directory = directories.find((each) => each.id === chosen) ?? directories[0];
  const settings = useQuery({ ...fixSettingsQuery(directory?.id ?? ''), enabled: directory !== undefined }).data;
  const planning = usePlanning((plan) => go(paths.fixes('list', { plan: plan.id, directory: search.directory })));
  const stopped = settings !== undefined && (!settings.entitled.fixes || !settings.settings.enabled);
  return (
    <FormDialog
      title={words.title} verb={planning.isPending ? words.busy : words.verb} busy={planning.isPending || directory === undefined || stopped} onClose={onClose}
      onSubmit={() => directory && planning.mutate({ directory: directory.id })}
    >
      <Field label={words.directory} required>
        <Dropdown value={directory?.name ?? ''} selectedOptions={directory ? [directory.id] : []} onOptionSelect={(_, data) => setChosen(data.optionValue)}>
          {directories.map((each) => (
            <Option key={each.id} value={each.id}>
              {each.name}
            </Option>
          ))}
        </Dropdown>
      </Field>
      <span>{words.what}</span>
      <strong>{words.writes}</strong>
      <Note>{words.newest}</Note>
      {settings && <Standing of={settings} />}
    </FormDialog>
  );
}

/** What keeps fixes of a directory from being planned or sent; nothing when nothing does. */
export function Standing({ of: { directory, settings, entitled, writer } }: { of: FixSettingsOfDirectory }) {
  const mayConnect = useMay('connections.manage');
  if (!entitled.fixes) return <Bar text={words.notEntitled} />;
  if (!settings.enabled) return <Bar text={words.off} href={paths.fixes('settings', { of: directory })} link={words.settings} />;
  if (!writer) return <Bar text={words.noWriter} href={mayConnect ? paths.connect({ kind: 'write', to: directory }) : undefined} link={words.connect} />;
  return null;
}

export function Bar({ text, href, link }: { text: string; href?: string; link?: string }) {
  return (
    <MessageBar intent="warning" layout="multiline">
      <MessageBarBody>
        {text} {href && link && <AppLink inline href={href}>{link}</AppLink>}
      </MessageBarBody>
    </MessageBar>
  );
}
