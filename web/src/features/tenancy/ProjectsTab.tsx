// The tenant's projects.
import { Field, Input } from '@fluentui/react-components';
import { Add20Regular } from '@fluentui/react-icons';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, unwrap } from '@/api/client';
import { useWhyNot } from '@/api/me';
import { projectsQuery } from '@/api/queries';
import type { Project } from '@/api/schema';
import { t } from '@/messages';
import { paths } from '@/paths';
import { Action } from '@/shared/Action';
import { FormDialog } from '@/shared/Confirm';
import type { Column } from '@/shared/DataTable';
import { AppLink } from '@/shared/location';
import { SimpleList } from '@/shared/SimpleList';
import { Time } from '@/shared/Time';
import { useChange } from '@/shared/useChange';

const words = t.settings.projects;

const columns: Column<Project>[] = [
  { key: 'name', name: words.name, width: 'minmax(0, 2fr)', cell: (row) => <AppLink href={paths.findings({ project: row.id })}>{row.name}</AppLink> },
  { key: 'created', name: words.created, width: '140px', align: 'end', cell: (row) => <Time at={row.created_at} /> },
];

export function ProjectsTab() {
  const whyNot = useWhyNot('projects.write');
  const query = useQuery(projectsQuery);
  const [adding, setAdding] = useState(false);
  return (
    <>
      <SimpleList
        title={words.table} lead={words.lead} permission="projects.read" query={query} columns={columns} rowKey={(row) => row.id} empty={{ title: words.emptyTitle, text: words.empty }}
        actions={
          <Action size="small" icon={<Add20Regular />} whyNot={whyNot} onClick={() => setAdding(true)}>
            {words.add}
          </Action>
        }
      />
      {adding && <Add onClose={() => setAdding(false)} />}
    </>
  );
}

function Add({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState('');
  const add = useChange({
    run: () => unwrap(api.POST('/api/v1/projects', { body: { name: name.trim() } })),
    name: words.add, done: words.createdNote, touches: ['list_projects'], then: onClose,
  });
  return (
    <FormDialog title={words.add} verb={words.create} busy={add.isPending || !name.trim()} onSubmit={() => add.mutate(undefined)} onClose={onClose}>
      <Field label={words.name} required>
        <Input value={name} maxLength={120} onChange={(_, data) => setName(data.value)} />
      </Field>
    </FormDialog>
  );
}
