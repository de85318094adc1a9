// The frame of a live view: one look at a directory as it is now. It says of which directory and when, asks Microsoft again only when a
// person wants it, and says what is missing where no connection reads the directory.
import { ArrowClockwise20Regular } from '@fluentui/react-icons';
import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { LivePolicies, LiveThreats } from '@/api/schema';
import { m } from '@/messages/microsoft365';
import { Action } from '@/shared/Action';
import { Page } from '@/shared/Page';
import { Loaded } from '@/shared/States';
import { Time } from '@/shared/Time';
import { NotConnected } from './LiveSource';

const words = m.live;

interface Props<T> {
  title: string;
  /** What the page shows, of which directory. */
  state: (directory: string | undefined) => string;
  query: UseQueryResult<T>;
  /** Why nothing can be read, where no connection is. */
  why: (live: T) => string | null | undefined;
  children: (live: T) => ReactNode;
}

export function LivePage<T extends Pick<LivePolicies | LiveThreats, 'directory' | 'connection' | 'read_at'>>({ title, state, query, why, children }: Props<T>) {
  const { data } = query;
  return (
    <Page
      title={title}
      state={
        <>
          {state(data?.directory?.name)} {data && <>{words.read} <Time at={data.read_at} />.</>}
        </>
      }
      commands={
        <Action icon={<ArrowClockwise20Regular />} disabledFocusable={query.isFetching} onClick={() => void query.refetch()}>
          {words.refresh}
        </Action>
      }
    >
      <Loaded query={query} permission="live.read">
        {(live) => (live.connection ? children(live) : <NotConnected detail={why(live)} />)}
      </Loaded>
    </Page>
  );
}
