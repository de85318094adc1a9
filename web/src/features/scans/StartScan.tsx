// Starting a scan: of which directory, of which kind. That it is being asked is in the address, so that other pages can lead here.
import { Dropdown, Field, Option, Radio, RadioGroup } from '@fluentui/react-components';
import { Play20Regular } from '@fluentui/react-icons';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, unwrap } from '@/api/client';
import { useMay, useWhyNot } from '@/api/me';
import type { Connection, ScanKind } from '@/api/schema';
import { connectionsQuery } from '@/features/connections/queries';
import { m } from '@/messages/microsoft365';
import { paths } from '@/paths';
import { Action } from '@/shared/Action';
import { FormDialog } from '@/shared/Confirm';
import { useGo, useSetSearch } from '@/shared/location';
import { Note } from '@/shared/States';
import { useChange } from '@/shared/useChange';

const words = m.scans;

/** The connections that scans can go through. */
export function useReaders(): Connection[] {
  const { data } = useQuery({ ...connectionsQuery({ kind: 'read' }), enabled: useMay('connections.read') });
  return data?.items.filter((each) => each.state !== 'disconnected') ?? [];
}

export function StartButton() {
  const set = useSetSearch();
  const whyNot = useWhyNot('scans.run');
  const none = useReaders().length === 0;
  return (
    <Action appearance="primary" icon={<Play20Regular />} whyNot={whyNot ?? (none ? words.noneConnected : undefined)} onClick={() => set({ start: 'yes' }, 'replace')}>
      {words.start}
    </Action>
  );
}

export function ConnectionField({ readers, value, onChange }: { readers: Connection[]; value: Connection | undefined; onChange: (connection: string) => void }) {
  return (
    <Field label={words.connection} required>
      <Dropdown value={value?.label ?? ''} selectedOptions={value ? [value.id] : []} onOptionSelect={(_, data) => data.optionValue && onChange(data.optionValue)}>
        {readers.map((each) => (
          <Option key={each.id} value={each.id} text={each.label}>
            {each.label}
          </Option>
        ))}
      </Dropdown>
    </Field>
  );
}

export function KindField({ value, onChange }: { value: ScanKind; onChange: (kind: ScanKind) => void }) {
  return (
    <Field label={words.kindField}>
      <RadioGroup value={value} onChange={(_, data) => onChange(data.value as ScanKind)}>
        {(Object.keys(m.scanKinds) as ScanKind[]).map((kind) => (
          <Radio
            key={kind} value={kind}
            label={
              <>
                {m.scanKinds[kind]}
                <br />
                <Note>{words.kindNotes[kind]}</Note>
              </>
            }
          />
        ))}
      </RadioGroup>
    </Field>
  );
}

export function StartDialog({ connection, onClose }: { connection: string | undefined; onClose: () => void }) {
  const go = useGo();
  const readers = useReaders();
  const [chosen, setChosen] = useState(connection);
  const [kind, setKind] = useState<ScanKind>('compliance');
  const target = readers.find((each) => each.id === chosen) ?? readers.find((each) => each.primary) ?? readers[0];
  const start = useChange({
    run: () => unwrap(api.POST('/api/v1/scans', { body: { kind, connection: target?.id ?? null } })),
    name: words.start, done: m.scan.started, touches: ['list_scans'], then: (scan) => go(paths.scan(scan.id)),
  });
  return (
    <FormDialog title={words.start} verb={words.begin} busy={start.isPending || !target} onSubmit={() => start.mutate(undefined)} onClose={onClose}>
      <ConnectionField readers={readers} value={target} onChange={setChosen} />
      <KindField value={kind} onChange={setKind} />
    </FormDialog>
  );
}
