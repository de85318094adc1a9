// A list on a settings tab: its command, its states and its table.
import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { Permission } from '@/api/schema';
import { type Column, DataTable } from './DataTable';
import { Section } from './Page';
import { EmptyState, Loaded, Need, Note } from './States';

interface Props<T> {
  title: string;
  lead: string;
  permission: Permission;
  query: UseQueryResult<{ items: T[] }>;
  columns: Column<T>[];
  rowKey: (row: T) => string;
  empty: { title: string; text: string };
  actions?: ReactNode;
}

export function SimpleList<T>({ title, lead, permission, query, columns, rowKey, empty, actions }: Props<T>) {
  return (
    <Section title={title} actions={actions}>
      <Need permission={permission}>
        <p style={{ margin: '0 0 12px' }}>
          <Note>{lead}</Note>
        </p>
        <Loaded query={query} permission={permission}>
          {(page) => (page.items.length === 0 ? <EmptyState title={empty.title}>{empty.text}</EmptyState> : <DataTable label={title} rows={page.items} columns={columns} rowKey={rowKey} />)}
        </Loaded>
      </Need>
    </Section>
  );
}
