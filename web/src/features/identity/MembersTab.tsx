// Who may use this tenant, and as what.
import { Dropdown, Field, Input, makeStyles, Option, tokens } from '@fluentui/react-components';
import { Delete16Regular, PersonAdd20Regular } from '@fluentui/react-icons';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, unwrap } from '@/api/client';
import { useWhyNot } from '@/api/me';
import { membersQuery } from '@/api/queries';
import type { Member, Role } from '@/api/schema';
import { GUID } from '@/features/tenancy/Directories';
import { t } from '@/messages';
import { Action } from '@/shared/Action';
import { Confirm, FormDialog } from '@/shared/Confirm';
import type { Column } from '@/shared/DataTable';
import { SimpleList } from '@/shared/SimpleList';
import { Time } from '@/shared/Time';
import { useChange } from '@/shared/useChange';

const words = t.settings.members;
const ROLES = Object.keys(t.roles) as Role[];
const useStyles = makeStyles({ role: { minWidth: 0, width: '100%', maxWidth: '150px' }, option: { display: 'block' }, note: { display: 'block', color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200 } });

export function MembersTab() {
  const whyNot = useWhyNot('members.write');
  const query = useQuery(membersQuery);
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<Member>();
  const columns: Column<Member>[] = [
    { key: 'name', name: words.name, width: 'minmax(0, 1.2fr)', cell: (row) => row.name },
    { key: 'email', name: words.email, width: 'minmax(0, 1.4fr)', cell: (row) => row.email || '–' },
    { key: 'role', name: words.role, width: 'minmax(120px, 170px)', cell: (row) => (whyNot === undefined ? <RolePicker member={row} /> : t.roles[row.role]) },
    { key: 'added', name: words.added, width: '120px', align: 'end', cell: (row) => <Time at={row.added_at} /> },
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
        title={words.table} lead={words.lead} permission="members.read" query={query} columns={columns} rowKey={(row) => row.id} empty={{ title: words.emptyTitle, text: words.empty }}
        actions={
          <Action size="small" icon={<PersonAdd20Regular />} whyNot={whyNot} onClick={() => setAdding(true)}>
            {words.add}
          </Action>
        }
      />
      {adding && <Add onClose={() => setAdding(false)} />}
      {removing && <Remove member={removing} onClose={() => setRemoving(undefined)} />}
    </>
  );
}

function RoleOptions() {
  const styles = useStyles();
  return ROLES.map((role) => (
    <Option key={role} value={role} text={t.roles[role]}>
      <span>
        <span className={styles.option}>{t.roles[role]}</span>
        <span className={styles.note}>{words.roleNotes[role]}</span>
      </span>
    </Option>
  ));
}

function RolePicker({ member }: { member: Member }) {
  const styles = useStyles();
  const change = useChange({
    run: (role: Role) => unwrap(api.PATCH('/api/v1/members/{member}', { params: { path: { member: member.id } }, body: { role } })),
    name: words.roleOf(member.name), done: words.changed, touches: ['list_members'],
  });
  return (
    <Dropdown
      size="small" className={styles.role} aria-label={words.roleOf(member.name)} value={t.roles[member.role]} selectedOptions={[member.role]} disabled={change.isPending}
      onOptionSelect={(_, option) => option.optionValue && option.optionValue !== member.role && change.mutate(option.optionValue as Role)}
    >
      {RoleOptions()}
    </Dropdown>
  );
}

function Add({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState('');
  const [email, setEmail] = useState('');
  const [objectId, setObjectId] = useState('');
  const [role, setRole] = useState<Role>('member');
  const bad = objectId !== '' && !GUID.test(objectId.trim());
  const add = useChange({
    run: () => unwrap(api.POST('/api/v1/members', { body: { name: name.trim(), email: email.trim(), object_id: objectId.trim().toLowerCase(), role } })),
    name: words.add, done: words.addedNote, touches: ['list_members'], then: onClose,
  });
  return (
    <FormDialog title={words.add} verb={words.add} busy={add.isPending || bad || !objectId || !name.trim()} onSubmit={() => add.mutate(undefined)} onClose={onClose}>
      <Field label={words.name} required>
        <Input value={name} maxLength={200} onChange={(_, data) => setName(data.value)} />
      </Field>
      <Field label={words.objectId} required hint={words.objectIdHint} validationMessage={bad ? t.settings.general.badId : undefined}>
        <Input value={objectId} onChange={(_, data) => setObjectId(data.value)} />
      </Field>
      <Field label={words.email}>
        <Input type="email" value={email} maxLength={320} onChange={(_, data) => setEmail(data.value)} />
      </Field>
      <Field label={words.role}>
        <Dropdown value={t.roles[role]} selectedOptions={[role]} onOptionSelect={(_, option) => setRole(option.optionValue as Role)}>
          {RoleOptions()}
        </Dropdown>
      </Field>
    </FormDialog>
  );
}

function Remove({ member, onClose }: { member: Member; onClose: () => void }) {
  const remove = useChange({
    run: () => unwrap(api.DELETE('/api/v1/members/{member}', { params: { path: { member: member.id } } })),
    name: words.removeTitle(member.name), done: words.removed, touches: ['list_members'], then: onClose,
  });
  return <Confirm title={words.removeTitle(member.name)} body={words.removeBody} verb={words.remove} busy={remove.isPending} onConfirm={() => remove.mutate(undefined)} onClose={onClose} />;
}
