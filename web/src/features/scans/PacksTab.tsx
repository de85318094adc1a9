// The tenant's own checks: packs and their versions. A version is written once.
import { Button, Field, Input, makeStyles, tokens } from '@fluentui/react-components';
import { BoxMultiple20Regular, Delete16Regular } from '@fluentui/react-icons';
import { useQuery } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { api, unwrap } from '@/api/client';
import { useWhyNot } from '@/api/me';
import type { Pack } from '@/api/schema';
import { m } from '@/messages/microsoft365';
import { Action } from '@/shared/Action';
import { Confirm, FormDialog } from '@/shared/Confirm';
import type { Column } from '@/shared/DataTable';
import { Mono } from '@/shared/Facts';
import { fileSize } from '@/shared/format';
import { SimpleList } from '@/shared/SimpleList';
import { Note } from '@/shared/States';
import { Time } from '@/shared/Time';
import { useChange } from '@/shared/useChange';
import { packsQuery } from './queries';

const words = m.packs;
const MOST_FILES = 200;
const MOST_BYTES = 768 * 1024;
const NAME = /^[A-Za-z0-9._-]{1,60}$/;
const VERSION = /^[A-Za-z0-9._+-]{1,40}$/;

const useStyles = makeStyles({ files: { display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: tokens.spacingHorizontalM }, hidden: { display: 'none' } });

export function PacksTab() {
  const whyNot = useWhyNot('scans.manage');
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<Pack>();
  const columns: Column<Pack>[] = [
    { key: 'name', name: words.name, width: 'minmax(0, 1.4fr)', cell: (row) => row.name },
    { key: 'version', name: words.version, width: '110px', cell: (row) => <Mono>{row.version}</Mono> },
    { key: 'files', name: words.files, width: '150px', cell: (row) => words.chosen(Object.keys(row.files).length, fileSize(Object.values(row.files).reduce((sum, size) => sum + size, 0))) },
    { key: 'hash', name: words.hash, width: 'minmax(0, 1fr)', wideOnly: true, cell: (row) => <span title={row.sha256}><Mono>{row.sha256.slice(0, 16)}</Mono></span> },
    { key: 'by', name: words.by, width: 'minmax(0, 1fr)', wideOnly: true, cell: (row) => row.added_by.name },
    { key: 'at', name: words.at, width: '110px', align: 'end', cell: (row) => <Time at={row.added_at} /> },
    {
      key: 'actions', name: words.actions, width: '110px',
      cell: (row) => (
        <Action size="small" appearance="subtle" icon={<Delete16Regular />} whyNot={whyNot} aria-label={words.removeNamed(`${row.name} ${row.version}`)} onClick={() => setRemoving(row)}>
          {words.remove}
        </Action>
      ),
    },
  ];
  return (
    <>
      <SimpleList
        title={words.table} lead={words.lead} permission="scans.read" query={useQuery(packsQuery)} columns={columns} rowKey={(row) => `${row.name} ${row.version}`} empty={{ title: words.emptyTitle, text: words.empty }}
        actions={
          <Action size="small" appearance="primary" icon={<BoxMultiple20Regular />} whyNot={whyNot} onClick={() => setAdding(true)}>
            {words.add}
          </Action>
        }
      />
      {adding && <Add onClose={() => setAdding(false)} />}
      {removing && <Remove pack={removing} onClose={() => setRemoving(undefined)} />}
    </>
  );
}

/** Why these files cannot be a pack; undefined when they can. */
function problemOf(files: File[]): string | undefined {
  const odd = files.find((file) => !/\.(rego|ya?ml|json)$/.test(file.name));
  if (odd) return words.badFile(odd.name);
  if (files.length > MOST_FILES) return words.tooMany;
  return files.reduce((sum, file) => sum + file.size, 0) > MOST_BYTES ? words.tooLarge : undefined;
}

function Add({ onClose }: { onClose: () => void }) {
  const styles = useStyles();
  const input = useRef<HTMLInputElement>(null);
  const [name, setName] = useState('');
  const [version, setVersion] = useState('1.0.0');
  const [files, setFiles] = useState<File[]>([]);
  const problem = problemOf(files);
  const bad = (text: string, pattern: RegExp) => (text === '' || pattern.test(text) ? undefined : words.badName);
  const good = NAME.test(name) && VERSION.test(version) && files.length > 0 && problem === undefined;
  const add = useChange({
    run: async () => {
      const read = await Promise.all(files.map(async (file) => [file.name, await file.text()] as const));
      return unwrap(api.POST('/api/v1/scan-packs', { body: { name, version, files: Object.fromEntries(read) } }));
    },
    name: words.add, done: words.added, touches: ['list_packs'], then: onClose,
  });
  return (
    <FormDialog title={words.addTitle} verb={words.add} busy={add.isPending || !good} onSubmit={() => add.mutate(undefined)} onClose={onClose}>
      <Field label={words.name} required validationMessage={bad(name, NAME)}>
        <Input value={name} maxLength={60} spellCheck={false} onChange={(_, data) => setName(data.value.trim())} />
      </Field>
      <Field label={words.version} required validationMessage={bad(version, VERSION)}>
        <Input value={version} maxLength={40} spellCheck={false} onChange={(_, data) => setVersion(data.value.trim())} />
      </Field>
      <Field label={words.files} required hint={words.filesHint} validationMessage={problem}>
        <div className={styles.files}>
          <input ref={input} className={styles.hidden} type="file" multiple accept=".rego,.yaml,.yml,.json" aria-label={words.files} onChange={(event) => setFiles([...(event.target.files ?? [])])} />
          <Button onClick={() => input.current?.click()}>{words.choose}</Button>
          {files.length > 0 && <Note>{words.chosen(files.length, fileSize(files.reduce((sum, file) => sum + file.size, 0)))}</Note>}
        </div>
      </Field>
    </FormDialog>
  );
}

function Remove({ pack, onClose }: { pack: Pack; onClose: () => void }) {
  const title = words.removeNamed(`${pack.name} ${pack.version}`);
  const remove = useChange({
    run: () => unwrap(api.DELETE('/api/v1/scan-packs/{pack}/{version}', { params: { path: { pack: pack.name, version: pack.version } } })),
    name: title, done: words.removed, touches: ['list_packs'], then: onClose,
  });
  return <Confirm title={title} body={words.removeBody} verb={words.remove} busy={remove.isPending} onConfirm={() => remove.mutate(undefined)} onClose={onClose} />;
}
