// API keys: made here, shown once, revoked here.
import { Field, Input, Dropdown, Option } from '@fluentui/react-components';
import { Key20Regular, Prohibited16Regular } from '@fluentui/react-icons';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, unwrap } from '@/api/client';
import { useMay, useWhyNot } from '@/api/me';
import { keysQuery, projectsQuery } from '@/api/queries';
import type { ApiKey } from '@/api/schema';
import { useProjectName } from '@/shell/Scope';
import { t } from '@/messages';
import { Action } from '@/shared/Action';
import { KeyStateBadge } from '@/shared/Badges';
import { Confirm, FormDialog } from '@/shared/Confirm';
import type { Column } from '@/shared/DataTable';
import { Mono } from '@/shared/Facts';
import { daysUntil, exactTime } from '@/shared/format';
import { SimpleList } from '@/shared/SimpleList';
import { Time, useNow } from '@/shared/Time';
import { useChange } from '@/shared/useChange';
import { NewKeyDialog } from './NewKeyDialog';

const words = t.settings.keys;

export function KeysTab() {
  const whyNot = useWhyNot('keys.write');
  const mayRead = useMay('keys.read');
  const project = useProjectName();
  const now = useNow();
  const query = useQuery({ ...keysQuery, enabled: mayRead });
  const [creating, setCreating] = useState(false);
  const [revoking, setRevoking] = useState<ApiKey>();
  // Held in memory only while the dialog is open.
  const [created, setCreated] = useState<string>();
  const columns: Column<ApiKey>[] = [
    { key: 'name', name: words.name, width: 'minmax(0, 1.4fr)', cell: (row) => row.name },
    { key: 'hint', name: words.hint, width: '80px', cell: (row) => <Mono>{`…${row.hint}`}</Mono> },
    { key: 'scope', name: words.scope, width: 'minmax(0, 1fr)', cell: (row) => project(row.project) ?? words.wholeTenant },
    { key: 'state', name: words.state, width: '100px', cell: (row) => <KeyStateBadge state={row.state} /> },
    { key: 'expires', name: words.expires, width: '110px', align: 'end', cell: (row) => <span title={exactTime(row.expires_at)}>{words.inDays(daysUntil(row.expires_at, now))}</span> },
    { key: 'used', name: words.lastUsed, width: '110px', align: 'end', cell: (row) => (row.last_used_at ? <Time at={row.last_used_at} /> : words.never) },
    { key: 'created', name: words.created, width: '110px', align: 'end', wideOnly: true, cell: (row) => <Time at={row.created_at} /> },
    {
      key: 'actions', name: words.actions, width: '110px',
      cell: (row) => (
        <Action size="small" appearance="subtle" icon={<Prohibited16Regular />} whyNot={row.state === 'active' ? whyNot : words.notActive} aria-label={words.revokeNamed(row.name)} onClick={() => setRevoking(row)}>
          {words.revoke}
        </Action>
      ),
    },
  ];
  return (
    <>
      <SimpleList
        title={words.table} lead={words.lead} permission="keys.read" query={query} columns={columns} rowKey={(row) => row.id} empty={{ title: words.emptyTitle, text: words.empty }}
        actions={
          <Action size="small" appearance="primary" icon={<Key20Regular />} whyNot={whyNot} onClick={() => setCreating(true)}>
            {words.create}
          </Action>
        }
      />
      {creating && <Create onClose={() => setCreating(false)} onCreated={(key) => { setCreating(false); setCreated(key); }} />}
      {created !== undefined && <NewKeyDialog value={created} onClose={() => setCreated(undefined)} />}
      {revoking && <Revoke apiKey={revoking} onClose={() => setRevoking(undefined)} />}
    </>
  );
}

function Create({ onClose, onCreated }: { onClose: () => void; onCreated: (key: string) => void }) {
  const projects = useQuery({ ...projectsQuery, enabled: useMay('projects.read') }).data?.items ?? [];
  const [name, setName] = useState('');
  const [project, setProject] = useState('');
  const [days, setDays] = useState('90');
  const number = Number(days);
  const bad = !Number.isInteger(number) || number < 1 || number > 366;
  const create = useChange({
    run: () => unwrap(api.POST('/api/v1/api-keys', { body: { name: name.trim(), expires_in_days: number, project: project || null } })),
    name: words.createTitle, touches: ['list_api_keys'], then: (answer) => onCreated(answer.key),
  });
  return (
    <FormDialog title={words.createTitle} verb={words.createButton} busy={create.isPending || bad || !name.trim()} onSubmit={() => create.mutate(undefined)} onClose={onClose}>
      <Field label={words.name} required>
        <Input value={name} maxLength={120} onChange={(_, data) => setName(data.value)} />
      </Field>
      <Field label={words.project}>
        <Dropdown value={projects.find((each) => each.id === project)?.name ?? words.wholeTenant} selectedOptions={[project]} onOptionSelect={(_, option) => setProject(option.optionValue ?? '')}>
          <Option value="">{words.wholeTenant}</Option>
          {projects.map((each) => (
            <Option key={each.id} value={each.id}>
              {each.name}
            </Option>
          ))}
        </Dropdown>
      </Field>
      <Field label={words.days} hint={words.daysHint} validationMessage={bad ? words.daysBad : undefined}>
        <Input type="number" min={1} max={366} value={days} onChange={(_, data) => setDays(data.value)} />
      </Field>
    </FormDialog>
  );
}

function Revoke({ apiKey, onClose }: { apiKey: ApiKey; onClose: () => void }) {
  const revoke = useChange({
    run: () => unwrap(api.DELETE('/api/v1/api-keys/{api_key}', { params: { path: { api_key: apiKey.id } } })),
    name: words.revokeTitle(apiKey.name), done: words.revoked, touches: ['list_api_keys'], then: onClose,
  });
  return <Confirm title={words.revokeTitle(apiKey.name)} body={words.revokeBody} verb={words.revoke} busy={revoke.isPending} onConfirm={() => revoke.mutate(undefined)} onClose={onClose} />;
}
