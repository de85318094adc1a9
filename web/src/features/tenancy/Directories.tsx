// The directories the tenant reports on: seen in reports, or listed by a person.
import { Field, Input } from '@fluentui/react-components';
import { Add20Regular, Delete16Regular } from '@fluentui/react-icons';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, unwrap } from '@/api/client';
import { useWhyNot } from '@/api/me';
import { directoriesQuery } from '@/api/queries';
import type { Directory } from '@/api/schema';
import { t } from '@/messages';
import { Action } from '@/shared/Action';
import { Confirm, FormDialog } from '@/shared/Confirm';
import type { Column } from '@/shared/DataTable';
import { Mono } from '@/shared/Facts';
import { SimpleList } from '@/shared/SimpleList';
import { Time } from '@/shared/Time';
import { useChange } from '@/shared/useChange';

const words = t.settings.general;
export const GUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

export function Directories() {
  const whyNot = useWhyNot('directories.write');
  const query = useQuery(directoriesQuery);
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<Directory>();
  const columns: Column<Directory>[] = [
    { key: 'name', name: words.directoryName, width: 'minmax(0, 1.2fr)', cell: (row) => row.name },
    { key: 'id', name: words.directoryId, width: 'minmax(0, 1.6fr)', cell: (row) => <Mono>{row.id}</Mono> },
    { key: 'origin', name: words.origin, width: 'minmax(0, 1fr)', cell: (row) => t.origins[row.origin] },
    { key: 'added', name: words.added, width: '120px', align: 'end', cell: (row) => <Time at={row.added_at} /> },
    { key: 'last', name: words.lastRun, width: '120px', align: 'end', cell: (row) => <Time at={row.last_run_at} /> },
    {
      key: 'actions', name: words.actions, width: '110px',
      cell: (row) => (
        <Action size="small" appearance="subtle" icon={<Delete16Regular />} whyNot={whyNot} aria-label={words.removeNamed(row.name)} onClick={() => setRemoving(row)}>
          {words.remove}
        </Action>
      ),
    },
  ];
  return (
    <>
      <SimpleList
        title={words.directories} lead={words.directoriesLead} permission="directories.read" query={query} columns={columns} rowKey={(row) => row.id} empty={{ title: words.emptyTitle, text: words.empty }}
        actions={
          <Action size="small" icon={<Add20Regular />} whyNot={whyNot} onClick={() => setAdding(true)}>
            {words.addDirectory}
          </Action>
        }
      />
      {adding && <Add onClose={() => setAdding(false)} />}
      {removing && <Remove directory={removing} onClose={() => setRemoving(undefined)} />}
    </>
  );
}

function Add({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState('');
  const [id, setId] = useState('');
  const bad = id !== '' && !GUID.test(id.trim());
  const add = useChange({
    run: () => unwrap(api.POST('/api/v1/directories', { body: { id: id.trim().toLowerCase(), name: name.trim() } })),
    name: words.addDirectory, done: words.listed, touches: ['list_directories'], then: onClose,
  });
  return (
    <FormDialog title={words.addDirectory} verb={words.addDirectory} busy={add.isPending || bad || !id || !name.trim()} onSubmit={() => add.mutate(undefined)} onClose={onClose}>
      <Field label={words.directoryName} required>
        <Input value={name} maxLength={200} onChange={(_, data) => setName(data.value)} />
      </Field>
      <Field label={words.directoryId} required validationMessage={bad ? words.badId : undefined}>
        <Input value={id} onChange={(_, data) => setId(data.value)} />
      </Field>
    </FormDialog>
  );
}

function Remove({ directory, onClose }: { directory: Directory; onClose: () => void }) {
  const remove = useChange({
    run: () => unwrap(api.DELETE('/api/v1/directories/{directory}', { params: { path: { directory: directory.id } } })),
    name: words.removeTitle(directory.name), done: words.removed, touches: ['list_directories'], then: onClose,
  });
  return <Confirm title={words.removeTitle(directory.name)} body={words.removeBody} verb={words.remove} busy={remove.isPending} onConfirm={() => remove.mutate(undefined)} onClose={onClose} />;
}
